// SPDX-License-Identifier: Apache-2.0
internal import Compiler
internal import Policy
internal import State

/// What a control begins with: configuration and files, looked at before keeper touches a port.
///
/// Files that are not understood end control here, as a configuration does, unless an earlier control has written down a revision: that
/// one serves then, and the files' fault is told. Else whoever breaks a file takes away, with the next crash, the way to put it right.
struct Opening: Sendable {
    /// The configuration.
    let configuration: Configuration
    /// What the files say; `nil` where they are not understood.
    let contents: FileContents?
    /// What the files of workloads looked like before they were read.
    let marks: FileMarks
    /// Why the files are not understood.
    let fault: String?
    /// The state, where it had to be asked already. A control that takes over opens it only when the old one has let go of it.
    let store: StateStore?

    /// Reads what `file` names and compiles it once for its errors.
    init(_ file: String) throws {
        configuration = try Configuration.load(file)
        marks = FileMarks(configuration.workloads)
        do {
            let read = try FileContents(configuration)
            var inventory = Inventory()
            _ = try Compiler.compile(
                try PolicySet(read.policies + read.workloads),
                zones: try PolicySource.placements(configuration.zones, configuration.ports), links: configuration.links,
                flows: configuration.flows, failsafe: configuration.failsafe, generation: 1, inventory: &inventory)
            (contents, fault, store) = (read, nil, nil)
        } catch {
            let known = try? StateStore(folder: configuration.state)
            guard let known, (try? known.serving()) != nil else { throw error }
            (contents, fault, store) = (nil, "\(error)", known)
        }
    }
}

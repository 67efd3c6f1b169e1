// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout

// What keeper has changed about the ports, in a file: the board says it too, but is gone when keeper and data are killed together,
// and then nobody would know that a port is down because keeper took it down, or was not promiscuous before.

/// What keeper has changed about a port.
struct PortNote: Equatable {
    /// Whether it was taken down because the other port had lost its link.
    var isTakenDown = false
    /// Whether it was promiscuous before keeper made it so.
    var wasPromiscuous = false
}

extension RunFolder {
    private var portsFile: String { "\(keepersPath)/ports" }

    /// Writes down what was changed about all ports; false when it cannot be written.
    func note(_ ports: [(port: PortPlan, note: PortNote)]) -> Bool {
        let lines = ports.map { port, note in
            "\(port.name) \(port.index) \(note.isTakenDown ? 1 : 0) \(note.wasPromiscuous ? 1 : 0)\n"
        }
        return write(([RunFolder.boot + "\n"] + lines).joined(), to: portsFile)
    }

    /// What an earlier keeper wrote down about a port; `nil` where it wrote nothing, or of another port of that name, or before the
    /// machine was started anew.
    func notedPort(_ port: PortPlan) -> PortNote? {
        let lines = RunFolder.text(of: portsFile).split(separator: "\n")
        guard let boot = lines.first, boot == RunFolder.boot, !boot.isEmpty else { return nil }
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            guard words.count == 4, words[0] == port.name.description, UInt32(words[1]) == port.index else { continue }
            return PortNote(isTakenDown: words[2] == "1", wasPromiscuous: words[3] == "1")
        }
        return nil
    }

    /// Tells one run of the machine from another.
    static var boot: String {
        String(text(of: "/proc/sys/kernel/random/boot_id").prefix { !$0.isWhitespace })
    }
}

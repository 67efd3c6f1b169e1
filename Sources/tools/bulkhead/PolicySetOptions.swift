// SPDX-License-Identifier: Apache-2.0
import API
import Analysis
import ArgumentParser
import Compiler
import Control
import Glibc
import Policy
import PolicyText

/// Which policies a verb asks: those of files, those that a configuration names, or those in force.
struct PolicySetOptions: ParsableArguments {
    @OptionGroup var documents: DocumentOptions

    @Option(name: .long, help: "A configuration: where zones lie, and what it names beside the other files.")
    var config: String?

    @OptionGroup var daemon: DaemonOptions

    /// Whether the running daemon is asked, because nothing else was named.
    var asksDaemon: Bool { documents.paths.isEmpty && config == nil }

    func validate() throws { try documents.validate(config: config) }

    /// A set, where its zones lie, and what it cannot close.
    typealias Reading = (set: PolicySet, zones: [ZonePlacement], failsafe: Failsafe)

    /// The set that was named, else the one in force.
    func read() async throws -> Reading {
        if asksDaemon { return try await running() }
        return try read(documents.paths)
    }

    /// The set of some files, with what the configuration names beside them.
    func read(_ paths: [String]) throws -> Reading {
        let (reading, losses) = try Self.read(paths, config: config, isLossy: documents.lossy)
        DocumentOptions.tell(losses)
        return reading
    }

    /// The set of some files, with what a configuration names beside them, and what was left out of foreign documents.
    static func read(_ paths: [String], config: String?, isLossy: Bool) throws -> (reading: Reading, losses: [PolicyError]) {
        let configuration = try config.map(Configuration.load)
        var source = PolicySource(configuration, paths: paths, isLossy: isLossy)
        let reading = try source.read(ports: configuration?.ports ?? [])
        return ((reading.set, reading.zones, source.failsafe), source.losses)
    }

    /// The set in force, as the daemon loaded it.
    func running() async throws -> Reading {
        let report = try DaemonClient.decode(PolicyReport.self, try await daemon.client.get("/v1/policy"))
        return (try report.set(), report.placements, try report.failsafe?.failsafe() ?? Failsafe())
    }

    /// The set, compiled and loaded as workers load it.
    func view() async throws -> PolicyView {
        let reading = try await read()
        return try Self.view(reading)
    }

    /// A set, compiled and loaded as workers load it.
    static func view(_ reading: Reading) throws -> PolicyView {
        do throws(CompileError) {
            return try PolicyView(set: reading.set, zones: reading.zones, failsafe: reading.failsafe)
        } catch .policy(let error) {
            // Told with its place, as what cannot be read.
            throw error
        }
    }
}

/// The option of verbs that ask at a time.
struct TimeOptions: ParsableArguments {
    @Option(name: .long, help: "The time to ask about, as 2027-01-31T18:00:00Z; now if absent.")
    var at: String?

    func validate() throws { _ = try unixSeconds() }

    /// The time, in unix seconds.
    func unixSeconds() throws -> UInt64 {
        guard let at else { return UInt64(time(nil)) }
        guard let seconds = Timestamp.unixSeconds(at) else {
            throw ValidationError("\"\(at)\" is no point in time: write it as 2027-01-31T18:00:00Z")
        }
        return seconds
    }
}

/// The option of verbs that prove something.
struct StepOptions: ParsableArguments {
    @Option(name: .long, help: "Steps that proofs may take; what they leave open is said to be not proved.")
    var steps = Budget.usual

    func validate() throws {
        guard steps > 0 else { throw ValidationError("--steps is at least 1") }
    }

    var budget: Budget { Budget(steps: steps) }
}

extension Style {
    /// As the terminal is: colour and its width where standard output is one, plain lines of 100 columns where not.
    static var ofTerminal: Style {
        guard isatty(STDOUT_FILENO) == 1 else { return Style() }
        var size = winsize()
        let isKnown = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        let mayColour = unsafe getenv("NO_COLOR") == nil
        return Style(isColoured: mayColour, width: isKnown ? Int(size.ws_col) : 100)
    }
}

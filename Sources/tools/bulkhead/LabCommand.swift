// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab
import Link

/// `bulkhead lab`: measure what stands between two ports.
struct LabCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab", abstract: "Measure what stands between two ports: Bulkhead, or anything else.",
        discussion: """
            Frames are made, counted and sent back in the kernel, by small programs of the lab's own, each on the port that you name and
            on no other. A port that works for this host (it has an address, a route, a master or an XDP program) is refused.

            What arrives of 10,000 flows, as fast as they can be sent; the sink first, on the far side:

              bulkhead lab sink eth1 --duration 10 --json
              bulkhead lab send eth0 --to 02:00:00:00:00:02 --flows 10000 --duration 12 --json

            The round trip at 50,000 frames a second, with a reflector on the far side:

              bulkhead lab reflect eth1
              bulkhead lab rtt eth0 --to 02:00:00:00:00:02 --flows 100 --rate 50000 --duration 10

            Exit codes: 0 measured, 1 the port is refused or the kernel says no, 2 wrong usage.
            """,
        subcommands: [LabSendCommand.self, LabSinkCommand.self, LabReflectCommand.self, LabRTTCommand.self])

    /// Runs what measures, and turns the lab's errors into a line and exit code 1.
    static func tell(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as LabError {
            complain("\(error)")
            throw Outcome.failed
        } catch let error as LinkError {
            complain("\(error)")
            throw Outcome.failed
        }
    }
}

/// The port to work on.
struct LabPortOptions: ParsableArguments {
    @Argument(help: .init("The port.", valueName: "port"))
    var port: String

    @Flag(name: .long, help: "Take the port even though it works for this host, which then loses it for the while.")
    var force = false

    @Flag(name: .long, help: "JSON for machines.")
    var json = false

    /// The port, if it is free.
    func interface() throws -> Interface { try PortGuard.free(port, force: force) }
}

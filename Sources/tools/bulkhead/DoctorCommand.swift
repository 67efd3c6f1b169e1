// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Control
import Glibc
import Keeper
import Layout
import Link
import Net

/// `bulkhead doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what on this machine and its ports is in the way, and which command mends it.",
        discussion: """
            Changes nothing. With a configuration it looks at the pairs that it names, exactly as the start does; without one at the
            machine and at the ports that are named. Run it as root: others see less.

            --self-test sends real UDP and TCP through AF_XDP between ports of its own, in network namespaces of its own, and says what
            this kernel does. No port of the machine takes part, and nothing of it remains.

              bulkhead doctor --config /etc/bulkhead/bulkhead.yaml
              bulkhead doctor eth1 eth2
              bulkhead doctor --self-test

            Exit codes: 0 no error was found (warnings and notes may be), 1 an error was found, 2 wrong usage.
            """)

    @Option(name: .long, help: "The configuration file: its pairs are looked at.")
    var config: String?

    @Argument(help: "Ports to look at, each by itself.")
    var ports: [String] = []

    @Flag(name: .long, help: "Try AF_XDP with real traffic, in namespaces of its own.")
    var selfTest = false

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    func run() throws {
        let configuration = try config.map(Configuration.load)
        let check = GroundCheck(configuration?.plan ?? Plan(), ports: ports, tagged: configuration.map(Self.tagged) ?? [])
        let test = selfTest ? SelfTest.run() : nil
        let report = DoctorReport(check, test)
        say(json ? try DaemonClient.encode(report) : report.text(colour: isatty(STDOUT_FILENO) == 1))
        if !report.ok { throw Outcome.failed }
    }

    /// The pairs on which a zone has VLAN tags.
    private static func tagged(_ configuration: Configuration) -> Set<Int> {
        let zones = configuration.zones.filter { zone in zone.vlans.contains { $0 != VLANTags() } }
        return Set(
            configuration.pairs.indices.filter { number in
                zones.contains { zone in zone.port.map(configuration.pairs[number].ports.contains) ?? true }
            })
    }
}

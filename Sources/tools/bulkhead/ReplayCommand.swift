// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Classifier
import Compiler
import Control
import Net
import Policy
import PolicyText
import Replay

/// `bulkhead replay`.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Judge the frames of a capture as the daemon would have, by the same code.",
        discussion: """
            Runs every frame of a pcap or pcapng file through the data path, in the capture's own time, and prints what became of each,
            in frame order:

              {"frame": 1, "verdict": "forward", "flow": "tcp 10.9.0.11:40000 > 10.9.0.21:5432", "state": "synSent"}
              {"frame": 2, "verdict": "drop", "reason": "denied"}

            The verdict is forward, drop, reject, or hold for a frame that still waited for another one at the end. A summary follows.
            Without policies a frame that can be read is "unjudged"; one that cannot has its own reason.

            A frame's zone is that of the longest block given by --zone that holds its source (for ARP its sender), else the zone of
            the interface that saw it, where the capture (pcapng) and the configuration name it, else "default".

              bulkhead replay --pcap trace.pcap --policies policies/ --json | jq -r .reason | sort | uniq -c
              bulkhead replay --pcap trace.pcapng --config /etc/bulkhead/bulkhead.yaml
              bulkhead replay --pcap trace.pcap --policies p.yaml --zone 10.9.0.0/24=lan --zone 10.8.0.0/24=dmz

            Exit codes: 0 every frame was told, whatever became of it; 1 the file is cut or cannot be read; 2 wrong usage.
            """)

    @Option(name: .long, help: .init("The capture, pcap or pcapng with Ethernet frames; - is standard input.", valueName: "file"))
    var pcap: String

    @Option(name: .long, help: .init("The daemon's configuration: its policies, workloads, ports and zones.", valueName: "file"))
    var config: String?

    @OptionGroup var documents: DocumentOptions

    @Option(
        name: .long, parsing: .upToNextOption,
        help: .init("Frames from these addresses come in by this zone; the longest block wins.", valueName: "cidr=name"))
    var zone: [ZoneOfAddresses] = []

    @Flag(name: .long, help: "One JSON object a line.")
    var json = false

    /// The value of `--zone`.
    struct ZoneOfAddresses: ExpressibleByArgument {
        let assignment: ZonesOfCapture.Assignment

        init?(argument: String) {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[1].isEmpty, let prefix = Prefix(parts[0]) else { return nil }
            assignment = .init(prefix: prefix, zone: parts[1])
        }
    }

    func run() throws {
        let configuration = try config.map(Configuration.load)
        do {
            let zones = try ZonesOfCapture(zone.map(\.assignment), ports: configuration?.ports ?? [], implicit: Zone.implicit)
            let policy = try policy(configuration, zones)
            var replay = try Replay(
                capture: pcap, policy: policy, zones: zones, flows: configuration?.flowCapacity ?? Configuration.defaultFlows)
            defer { say(json ? replay.summary.json : replay.summary.text) }
            try replay.run { say(json ? $0.json : $0.text) }
        } catch let error as CompileError {
            complain("\(error)")
            throw Outcome.failed
        } catch let error as ReplayError {
            complain("\(error)")
            throw Outcome.failed
        }
    }

    /// The policy to judge by; `nil` where none is named.
    private func policy(_ configuration: Configuration?, _ zones: ZonesOfCapture) throws -> ReplayPolicy? {
        guard configuration != nil || !documents.paths.isEmpty else { return nil }
        var source = PolicySource(configuration, paths: documents.paths)
        let placements = zones.placements.map { ZonePlacement(zone: $0.zone, pair: $0.pair, port: $0.port) }
        let compiled = try source.compile(generation: 1, ports: configuration?.ports ?? [], beside: placements)
        return try ReplayPolicy(image: compiled.image, addresses: PolicySource.addresses(in: compiled.set)) {
            (writer) throws(AddressMapError) in try source.enter(compiled.set, into: &writer)
        }
    }
}

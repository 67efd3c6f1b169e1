// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Lab
import Link
import Net

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

/// What is sent.
struct LabTrafficOptions: ParsableArguments {
    @Option(name: .long, help: .init("Hardware address of the receiver.", valueName: "mac"))
    var to: HardwareAddress

    @Option(name: .long, help: .init("Hardware address of the sender (the port's own).", valueName: "mac"))
    var from: HardwareAddress?

    @Option(name: .long, help: .init("Source addresses (198.18.0.0/16, 2001:2::/112).", valueName: "cidr"))
    var source: Block?

    @Option(name: .long, help: .init("Destination addresses (198.19.0.0/16, 2001:2:0:1::/112).", valueName: "cidr"))
    var destination: Block?

    @Option(name: .long, help: .init("Destination port.", valueName: "number"))
    var port: UInt16 = 5432

    @Flag(name: .customLong("ipv6"), help: "IPv6, where no addresses are given.")
    var isIPv6 = false

    @Option(name: .long, help: .init("The VLAN tag of all frames, 1 to 4094.", valueName: "id"))
    var vlan: UInt16?

    @Option(name: .long, help: .init("Bytes of a frame, without FCS.", valueName: "bytes"))
    var size = 60

    @Option(name: .long, help: .init("Flows at a time.", valueName: "number"))
    var flows = 1

    @Option(name: .long, help: .init("Share of the flows that is renewed each second: 0.05 is 5 %.", valueName: "share"))
    var newShare = 0.0

    @Option(name: .long, help: .init("Frames in a second (as many as go).", valueName: "frames"))
    var rate: Double?

    @Option(name: .long, help: .init("Seconds to send (until Ctrl-C).", valueName: "seconds"))
    var duration: Double?

    @Option(name: .long, help: .init("Frames in all.", valueName: "number"))
    var frames: UInt64?

    /// The value of `--to` and `--from`.
    struct HardwareAddress: ExpressibleByArgument {
        let address: MACAddress
        init?(argument: String) {
            let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
            let bytes = parts.compactMap { $0.count == 2 ? UInt64($0, radix: 16) : nil }
            guard bytes.count == 6, parts.count == 6 else { return nil }
            address = MACAddress(bits: bytes.reduce(0) { $0 << 8 | $1 })
        }
    }

    /// The value of `--source` and `--destination`.
    struct Block: ExpressibleByArgument {
        let prefix: Prefix
        init?(argument: String) {
            guard let prefix = Prefix(argument) else { return nil }
            self.prefix = prefix
        }
    }

    func validate() throws {
        guard flows >= 1 else { throw ValidationError("--flows is at least 1") }
        guard (0...1000).contains(newShare) else { throw ValidationError("--new-share is 0 to 1000") }
        guard rate.map({ $0 >= 1 && $0 <= 1e9 }) ?? true else { throw ValidationError("--rate is 1 to 1000000000") }
        guard duration.map({ $0 > 0 && $0 <= 1e6 }) ?? true else { throw ValidationError("--duration is more than 0") }
        guard frames.map({ $0 >= 1 }) ?? true else { throw ValidationError("--frames is at least 1") }
        guard vlan.map({ (1...4094).contains($0) }) ?? true else { throw ValidationError("--vlan is 1 to 4094") }
    }

    /// The order for a generator by this port.
    func order(by interface: Interface, isSYN: Bool = false) -> GeneratorOrder {
        let usual = FrameShape.benchmarking(
            isIPv6: isIPv6 || [source, destination].contains { $0.map { !$0.prefix.address.isIPv4 } ?? false })
        var shape = FrameShape(
            sources: source?.prefix ?? usual.sources, destinations: destination?.prefix ?? usual.destinations)
        (shape.from, shape.to) = (from?.address ?? interface.address, to.address)
        (shape.port, shape.size, shape.vlan, shape.isSYN) = (port, size, vlan, isSYN)
        var order = GeneratorOrder(shape)
        (order.flows, order.newShare, order.rate) = (flows, newShare, rate)
        (order.duration, order.frames) = (duration, frames)
        return order
    }
}

// SPDX-License-Identifier: Apache-2.0
import Analysis
import ArgumentParser
import Net
import Telemetry
import Trace

/// `bulkhead trace`.
struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Follow one live connection, or a frame that has not come, through every step.",
        discussion: """
            TUPLE is a connection: protocol, who opens it from which port, to whom on which port, in any of these ways:

              bulkhead trace tcp 10.0.0.1:40000 10.0.0.2:443
              bulkhead trace 10.0.0.1:40000 10.0.0.2:443 tcp
              bulkhead trace 'shop/web:40000 -> shop/db tcp/5432'
              bulkhead trace icmp 10.0.0.1:4711 10.0.0.2       (the number is the echo's identifier)
              bulkhead flows --last 1 --json | xargs -0 bulkhead trace

            and any line that `bulkhead flows` or `bulkhead replay` prints, in quotes. An arrow must be in quotes too, or be left out.

            The running daemon is asked for the connection as its worker has it at this moment: state, counters, windows, when it ends,
            who judged it and why, and what its next frames will get. Then a new connection with the same ends goes its way under the
            policy in force: what is read, whose addresses they are, what each tier says, the verdict, and how long each step takes
            here. With files or a configuration nothing is asked, and only the second is told:

              bulkhead trace web:40000 db:5432 tcp --policies policies/ --flags ack
              bulkhead trace --frame capture.pcap:7 --config /etc/bulkhead/bulkhead.yaml --port lan0

            Exit codes: 0 an answer, whatever it is; 1 it cannot be given; 2 wrong usage.
            """)

    @Argument(help: "The connection, in one word or several.")
    var tuple: [String] = []

    @OptionGroup var set: PolicySetOptions
    @OptionGroup var time: TimeOptions

    @Flag(name: .long, help: "Only what a new connection would get; no worker is asked.")
    var new = false

    @Option(name: .long, help: "TCP's control bits: syn, ack, syn,ack, fin,ack, rst, psh,ack … (default: syn).")
    var flags: String?

    @Option(name: .long, help: "The zone that the source is seen in (default: its workload's first).")
    var zoneFrom: String?

    @Option(name: .long, help: "The zone that the destination is seen in (default: its workload's first).")
    var zoneTo: String?

    @Option(name: .long, help: "The port that the frame comes in by (default: one that lies in the source's zone).")
    var port: String?

    @Option(name: .long, help: "A VLAN identifier; twice for two tags, outermost first.")
    var vlan: [UInt16] = []

    @Option(name: .long, help: "The tunnel that it runs in: ipip, gre, gre:KEY, vxlan:VNI, geneve:VNI.")
    var tunnel: String?

    @Option(name: .long, help: "Who sends the tunnel's packets.")
    var tunnelFrom: String?

    @Option(name: .long, help: "Who receives the tunnel's packets.")
    var tunnelTo: String?

    @Option(
        name: .long,
        help: .init("In place of a TUPLE these very bytes: hexadecimal, or a capture's Nth frame (1).", valueName: "hex|file[:n]")
    )
    var frame: String?

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    /// Whether a live connection is looked for: not where the question is about something else.
    var asksWorkers: Bool { !new && set.asksDaemon && frame == nil && flags == nil && time.at == nil }

    func validate() throws {
        guard tuple.isEmpty != (frame == nil) else {
            throw ValidationError(frame == nil ? "which connection? \(Tuple.teaching)" : "--frame stands in the place of a TUPLE")
        }
        if port != nil, zoneFrom != nil || zoneTo != nil {
            throw ValidationError("--port says which zones lie on its two sides: leave --zone-from and --zone-to out")
        }
        guard (tunnelFrom == nil) == (tunnelTo == nil), tunnel != nil || tunnelFrom == nil else {
            throw ValidationError("--tunnel-from and --tunnel-to go together, with --tunnel")
        }
        if frame == nil { _ = try asked() }
        _ = try control()
        _ = try around()
    }

    func run() async throws {
        do {
            let appliance = try await TracedAppliance(set)
            let tracer = try Tracer(appliance.surroundings)
            let seconds = try time.unixSeconds()
            var live: LiveTrace?
            if asksWorkers { live = try await appliance.ask(try asked(), of: tracer, at: seconds) }
            // What holds for any connection in the running daemon comes with its answer.
            let follower = try live.map { try Tracer(appliance.surroundings.under($0.report.terms)) } ?? tracer
            let way = try follower.trace(try hypothesis(seconds, follower))
            say(try json ? document(live, way) : text(live, way, appliance))
        } catch let error as TraceError {
            complain("\(error)")
            throw Outcome.failed
        } catch let error as QuestionError {
            complain("\(error)")
            throw Outcome.failed
        }
    }
}

// What the options say.
extension TraceCommand {
    /// The connection, with the tags and the tunnel of the options.
    func asked() throws -> Tuple {
        do {
            var asked = try Tuple(tuple)
            if !vlan.isEmpty { asked.vlans = vlan }
            guard asked.vlans.count <= 2, asked.vlans.allSatisfy({ (1...4095).contains($0) }) else {
                throw ValidationError("a frame has two VLAN tags at most, each from 1 to 4095")
            }
            if let tunnel {
                guard let named = Tunnel(named: tunnel) else {
                    throw ValidationError("\"\(tunnel)\" is no tunnel: write ipip, gre, gre:KEY, vxlan:VNI or geneve:VNI")
                }
                asked.tunnel = named
            }
            return asked
        } catch let error as TupleError {
            throw ValidationError(error.description)
        }
    }

    private func control() throws -> TCPFlags {
        guard let flags else { return .syn }
        guard let named = TCPFlags(named: flags) else {
            throw ValidationError("\"\(flags)\" are no control bits: write syn, ack, fin, rst, psh, urg, separated by commas")
        }
        return named
    }

    private func around() throws -> Hypothesis.Ends? {
        guard let tunnelFrom, let tunnelTo else { return nil }
        guard let source = Address(tunnelFrom), let destination = Address(tunnelTo), source.isIPv4 == destination.isIPv4 else {
            throw ValidationError("--tunnel-from and --tunnel-to are addresses of one family")
        }
        return Hypothesis.Ends(source: source, destination: destination)
    }

    /// The frame that has not come.
    private func hypothesis(_ seconds: UInt64, _ tracer: Tracer) throws -> Hypothesis {
        var hypothesis =
            try frame.map { Hypothesis(frame: try GivenFrame.bytes($0), time: seconds) }
            ?? Hypothesis(try asked(), flags: try control(), time: seconds)
        hypothesis.around = try around()
        (hypothesis.zoneFrom, hypothesis.zoneTo) = (zoneFrom, zoneTo)
        hypothesis.port = try port.map { try tracer.surroundings.port(named: $0) }
        return hypothesis
    }

    private func text(_ live: LiveTrace?, _ way: FrameTrace, _ appliance: TracedAppliance) -> String {
        let style = Style.ofTerminal
        var lines: [String] = []
        if let live {
            lines.append("live connection, told by the workers")
            lines += live.lines(style) + [""]
        } else if asksWorkers {
            lines += ["no live connection is looked for: name the source's port, or the echo's identifier, as FROM:40000", ""]
        }
        lines.append(frame == nil ? "a new connection with these ends" : "this frame")
        return (lines + way.lines(style)).joined(separator: "\n")
    }

    private func document(_ live: LiveTrace?, _ way: FrameTrace) throws -> String {
        JSONText.object([("live", try live?.json() ?? .null), ("new", way.json)]).line
    }
}

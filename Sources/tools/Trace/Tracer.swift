// SPDX-License-Identifier: Apache-2.0
package import Analysis
internal import Classifier
package import Compiler
internal import Datapath
internal import Flow
internal import Net
internal import Policy
internal import Replay
package import Telemetry

/// Lets frames go their way under a policy, one at a time and each by the code that workers run: Wire reads, the compiled snapshot says
/// whose addresses they are and what both sides say, and a worker's lane over memory of this process gives the verdict. What the
/// model adds are names, places and the tiers on the way.
public struct Tracer: Sendable {
    /// What is judged by.
    package let surroundings: Surroundings
    /// The set as workers have it.
    package let view: PolicyView

    /// Connections that a lane of its own may hold: more than one frame opens.
    static let flows = 1024
    /// Where the lane's monotonic clock stands: far enough from its begin that flows can have a past.
    static let clock: UInt64 = 2_000_000 * 1_000_000_000

    /// Compiles the set. Throws what the compiler refuses.
    package init(_ surroundings: Surroundings) throws(CompileError) {
        self.surroundings = surroundings
        view = try surroundings.view()
    }

    /// The way of a frame that has not come. Throws where nobody could know what it is or where it comes in.
    package func trace(_ hypothesis: Hypothesis) throws -> FrameTrace {
        let (frame, place) = try made(hypothesis)
        var trace = FrameTrace(frame: frame)
        let origin = if case .of = hypothesis.content { "made" } else { "given" }
        trace.steps.append(
            FrameTrace.Step(
                "frame",
                "\(frame.count) bytes, \(origin), by \(surroundings.name(of: place.port))"
                    + (place.isReal ? "" : ", which stands for whatever port its zone lies at"),
                [("origin", .text(origin)), ("length", .number(frame.count)), ("port", .text(surroundings.name(of: place.port)))])
        )
        let walk = Walk(frame: frame, place: place, time: hypothesis.time, isInGrace: surroundings.isInGrace)
        if let reading = walk.read(into: &trace), walk.ask(reading, into: &trace) {
            explain(reading, place, hypothesis, into: &trace)
        }
        walk.judge(into: &trace)
        return trace
    }

    /// The connection that a tuple names, to be asked for; `nil` where the source's port or the echo's identifier is not known.
    package func connection(_ tuple: Tuple) throws -> TracedConnection? {
        let asked = try view.asked(from: tuple.source, to: tuple.destination, zoneFrom: nil, zoneTo: nil)
        let service = try view.asked(service: tuple.service, of: asked.destination)
        let number = IPProtocol(rawValue: UInt8(truncatingIfNeeded: service.rawValue >> 16))
        let port = number.hasPorts || number.isICMP ? tuple.sourcePort : 0
        guard let port else { return nil }
        var connection = TracedConnection(
            number, from: asked.source.address, port, to: asked.destination.address, UInt16(truncatingIfNeeded: service.rawValue))
        for vlan in tuple.vlans { connection.vlans.append(vlan) }
        connection.tunnel = tuple.tunnel
        return connection
    }

    /// The bytes of the frame, and the place where it comes in.
    private func made(_ hypothesis: Hypothesis) throws -> (frame: [UInt8], place: Place) {
        switch hypothesis.content {
        case .bytes(let bytes): return (bytes, try place(of: bytes, hypothesis))
        case .of(let tuple, let flags):
            let asked = try view.asked(
                from: tuple.source, to: tuple.destination, zoneFrom: hypothesis.zoneFrom, zoneTo: hypothesis.zoneTo)
            var frame = MadeFrame(
                source: asked.source.address, destination: asked.destination.address,
                service: try view.asked(service: tuple.service, of: asked.destination),
                sourcePort: tuple.sourcePort ?? Self.usualPort, flags: flags)
            if let bound = asked.source.hardwareAddress { frame.sourceMAC = bound }
            if let bound = asked.destination.hardwareAddress { frame.destinationMAC = bound }
            frame.opens = flags.contains(.syn)
            frame.acknowledgement = flags.contains(.ack) ? 1 : 0
            if tuple.tunnel.kind != .none {
                guard let ends = hypothesis.around else {
                    throw TraceError("the ends of the tunnel are not known: name them with --tunnel-from and --tunnel-to")
                }
                frame.around = .init(tunnel: tuple.tunnel, source: ends.source, destination: ends.destination)
            }
            let place =
                try hypothesis.port.map { Place(port: $0, vlans: tuple.vlans, view: view, isReal: true) }
                ?? place(from: asked.source.zone, to: asked.destination.zone, vlans: tuple.vlans, tuple.tunnel)
            frame.vlans = place.vlans
            return (frame.bytes, place)
        }
    }

    /// The source's port where nobody named one, as `policy explain` and `policy probe` have it.
    static let usualPort: UInt16 = 50_000

    /// Where given bytes come in: by the port that was named, else where their addresses belong.
    private func place(of bytes: [UInt8], _ hypothesis: Hypothesis) throws -> Place {
        if let port = hypothesis.port { return Place(port: port, vlans: [], view: view, isReal: true) }
        var reading = Reading()
        let isRead = read(bytes, into: &reading) == nil
        guard isRead, reading.kind == .packet || reading.kind == .fragment,
            let asked = try? view.asked(
                from: "\(reading.source)", to: "\(reading.destination)", zoneFrom: hypothesis.zoneFrom,
                zoneTo: hypothesis.zoneTo)
        else {
            let (from, to) = (hypothesis.zoneFrom ?? Zone.implicit, hypothesis.zoneTo ?? Zone.implicit)
            return try place(from: from, to: to, vlans: [], reading.tunnel)
        }
        return try place(from: asked.source.zone, to: asked.destination.zone, vlans: reading.vlans.identifiers, reading.tunnel)
    }

    /// Adds what policy says of the connection that the frame opens, or is from the middle of.
    private func explain(_ reading: Reading, _ place: Place, _ hypothesis: Hypothesis, into trace: inout FrameTrace) {
        let zones = zones(place.port, reading.vlans.identifiers, reading.tunnel, in: place.view)
        do {
            trace.explanation = try place.view.explain(
                from: "\(reading.source)", to: "\(reading.destination)", service: reading.service.words, zoneFrom: zones.source,
                zoneTo: zones.destination, sourcePort: reading.sourcePort, at: hypothesis.time)
        } catch {
            trace.unasked = "\(error)"
        }
    }
}

extension ServiceKey {
    /// As policies write it.
    var words: String {
        let number = IPProtocol(rawValue: UInt8(truncatingIfNeeded: rawValue >> 16))
        let low = UInt16(truncatingIfNeeded: rawValue)
        if number.isICMP { return "\(number.name)/\(low >> 8).\(low & 0xff)" }
        return number.hasPorts ? "\(number.name)/\(low)" : number.name
    }
}

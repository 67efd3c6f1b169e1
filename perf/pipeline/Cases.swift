// SPDX-License-Identifier: Apache-2.0
import Datapath
import Flow
import Glibc
import Measure
import Net

/// What one row measures.
struct Question {
    var name: String
    var isIPv4: Bool
    var flows: Int
    var pairs: Int
    /// Rules that first frames are judged by.
    var rules: Int
    var huge: Bool
    /// The library that holds `rte_hash`, for the case of that name.
    var library: String?
    var settings = FlowSettings()

    static let cases = ["established", "instructions", "rte_hash", "first", "unreadable", "denied", "flood", "observed"]

    /// A moment for all: the clock stands still while frames pass, so that no flow expires among them.
    static let now = Moment(nanoseconds: 1 << 40, wall: 1_700_000_000)

    /// The row.
    func measured() throws -> Fields {
        switch name {
        case "established": try established()
        case "instructions": try instructions()
        case "rte_hash": try besideRTEHash()
        case "first": try first()
        case "unreadable": try unreadable()
        case "denied": try denied()
        case "flood": try flood()
        case "observed": try observed()
        default: throw Trouble.otherFate("no case \(name)")
        }
    }

    func row(_ pairs: Pairs) -> Fields {
        var row = Fields()
        row.add("case", name)
        row.add("family", isIPv4 ? "IPv4" : "IPv6")
        row.add("flows", flows)
        row.add("ns_per_frame", pairs.first, digits: 2)
        row.add("reference_ns", pairs.second, digits: 2)
        row.add("ratio", pairs)
        return row
    }

    /// Writes a frame of a random established flow at every place of the stream: at even places those that come in by the first
    /// port, at odd ones by the second.
    func fill(_ stream: Stream) {
        var random = Seeded(7)
        for place in 0..<Stream.count {
            let connection = Connection(random.below(flows), isIPv4: isIPv4)
            stream.write(connection.data(fromClient: connection.port == place & 1), at: place)
        }
    }

    /// One pass of a side over the stream, all of whose frames must be forwarded.
    func forward(_ side: any Side, _ stream: Stream) throws -> Double {
        let before = side.forwarded
        let time = side.pass(stream, at: Self.now)
        guard side.forwarded - before == UInt64(Stream.count) else {
            throw Trouble.otherFate("\(side.forwarded - before) of \(Stream.count) frames were forwarded; \(side.reasons)")
        }
        return time
    }
}

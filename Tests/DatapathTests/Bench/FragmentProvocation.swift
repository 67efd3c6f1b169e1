// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport

/// A question to the web server's UDP port 53, which lets the client in, with so many bytes.
func question(_ count: Int, over6: Bool = false, to port: UInt16 = 53, from source: UInt16 = 40000) -> Packet {
    let bytes = Payload((0..<count).map { UInt8(truncatingIfNeeded: $0) })
    if over6 { return Ethernet() / IPv6(from: client6, to: web6) / UDP(from: source, to: port) / bytes }
    return Ethernet() / IPv4(from: client, to: web) / UDP(from: source, to: port) / bytes
}

/// A bench in which a fragment was dropped for a reason of the fragment table.
func provokeByFragments(_ reason: DropReason) throws -> PairBench {
    let bench = try PairBench()
    let pieces = question(64).fragments(of: 24)
    switch reason {
    case .fragmentOverlap:
        try bench.receive([pieces[0], question(64).fragment(16..<32, more: true)])
        bench.turn()
    case .fragmentTimeout:
        try bench.receive([pieces[1]])
        bench.turn()
        bench.clock.pass(seconds: 15)
        bench.turn()
    default:
        // An eighth of the worker's 512 frames may wait.
        for number in 0..<65 as Range<UInt32> {
            try bench.receive([
                question(64).fragment(24..<40, more: true, identification: number)
            ])
            bench.turn()
        }
    }
    return bench
}

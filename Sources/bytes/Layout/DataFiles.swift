// SPDX-License-Identifier: Apache-2.0

/// The order of the descriptors that go with `Message.Kind.start` and `holdings`:
///
///     board, counters, events, inquiries,
///     for each pair: UMEM, flows, mode map, then for each of its workers: socket of port 0, socket of port 1,
///     then snapshot and address map (0 and 0 of them where nothing is published yet).
public enum DataFiles {
    /// Where the board is.
    public static let board = 0
    /// Where the counters are.
    public static let counters = 1
    /// Where the events are.
    public static let events = 2
    /// Where the inquiries are.
    public static let inquiries = 3
    /// Descriptors before the pairs'.
    public static let head = 4

    /// Where a pair's descriptors begin.
    public static func first(ofPair pair: Int, in plan: Plan) -> Int {
        (0..<pair).reduce(head) { $0 + 3 + 2 * Int(plan.pairs[$1].queues) }
    }
    /// Where a pair's UMEM is.
    public static func umem(ofPair pair: Int, in plan: Plan) -> Int { first(ofPair: pair, in: plan) }
    /// Where a pair's flow tables are.
    public static func flows(ofPair pair: Int, in plan: Plan) -> Int { first(ofPair: pair, in: plan) + 1 }
    /// Where a pair's mode word is.
    public static func mode(ofPair pair: Int, in plan: Plan) -> Int { first(ofPair: pair, in: plan) + 2 }
    /// Where a worker's socket is.
    public static func socket(ofPair pair: Int, queue: Int, port: Int, in plan: Plan) -> Int {
        first(ofPair: pair, in: plan) + 3 + queue * 2 + port
    }
    /// How many descriptors there are without snapshot and address map.
    public static func count(in plan: Plan) -> Int { first(ofPair: Int(plan.pairCount), in: plan) }
}

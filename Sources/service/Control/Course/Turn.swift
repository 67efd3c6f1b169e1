// SPDX-License-Identifier: Apache-2.0

/// So many at a time, in the order of asking, control before clients. Of one place: whoever makes a generation has the turn from its
/// reading to its being in force. Belongs to one actor.
struct Turn {
    /// How many clients may wait, as a rule.
    static let most = 64

    /// How many clients may wait; who comes then is told to come again.
    let most: Int

    private var free: Int
    private var own: [CheckedContinuation<Void, Never>] = []
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// So many places, for which so many clients may wait.
    init(places: Int = 1, most: Int = Turn.most) {
        self.most = most
        free = places
    }

    /// Whether a place is free, in which case it is taken now.
    mutating func takeAtOnce() -> Bool {
        guard free > 0 else { return false }
        free -= 1
        return true
    }

    /// Whether as many clients wait as may.
    var isCrowded: Bool { waiting.count >= most }

    /// How many wait: control itself, and clients.
    var crowd: (own: Int, clients: Int) { (own.count, waiting.count) }

    /// Waits for a place, which others have; control itself before every client.
    mutating func wait(_ continuation: CheckedContinuation<Void, Never>, isOwn: Bool = false) {
        if isOwn { own.append(continuation) } else { waiting.append(continuation) }
    }

    /// Hands the place on.
    mutating func end() {
        guard own.isEmpty else { return own.removeFirst().resume() }
        guard !waiting.isEmpty else {
            free += 1
            return
        }
        waiting.removeFirst().resume()
    }
}

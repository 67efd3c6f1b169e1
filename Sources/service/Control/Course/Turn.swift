// SPDX-License-Identifier: Apache-2.0

/// One at a time, in the order of asking, control before clients: whoever makes a generation has the turn from its reading to its being
/// in force. Belongs to one actor.
struct Turn {
    /// How many clients may wait; who comes then is told to come again.
    static let most = 64

    private var isTaken = false
    private var own: [CheckedContinuation<Void, Never>] = []
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Whether nobody has the turn, in which case it is taken now.
    mutating func takeAtOnce() -> Bool {
        guard !isTaken else { return false }
        isTaken = true
        return true
    }

    /// Whether as many clients wait as may.
    var isCrowded: Bool { waiting.count >= Self.most }

    /// Waits for the turn, which somebody has; control itself before every client.
    mutating func wait(_ continuation: CheckedContinuation<Void, Never>, isOwn: Bool) {
        if isOwn { own.append(continuation) } else { waiting.append(continuation) }
    }

    /// Hands the turn on.
    mutating func end() {
        guard own.isEmpty else { return own.removeFirst().resume() }
        guard !waiting.isEmpty else {
            isTaken = false
            return
        }
        waiting.removeFirst().resume()
    }
}

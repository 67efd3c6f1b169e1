// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Layout
internal import Logging
internal import State
internal import Telemetry

// Everything forwarded for a while: keeper's doing, and its deadline; control orders it, and writes down who asked.

extension Course {
    /// How long keeper may take to do what it is ordered, in nanoseconds.
    private static let keepersTime: UInt64 = 2_000_000_000

    /// Forwards everything for a while. A second request takes the first one's place.
    func beginBypass(_ request: BypassRequest, by caller: Caller) async throws -> BypassReport {
        try await attempt("bypass.begin", of: "\(request.seconds) s", by: caller) {
            guard (1...UInt32(Message.longestBypass)).contains(request.seconds) else {
                throw Refusal(.invalid, "a bypass has 1 to \(Message.longestBypass) seconds")
            }
            guard !request.reason.allSatisfy(\.isWhitespace) else {
                throw Refusal(.invalid, "say why everything should be forwarded: the reason is empty")
            }
            // What would not be written down is not done.
            guard let store else { throw Refusal(.unavailable, storeFault ?? "there is no state") }
            try store.log(event("bypass.begin", "\(request.seconds) s", caller.actor, .done, request.reason))
            let before = around.board.bypassUntil
            try around.link.bypass(seconds: request.seconds)
            (bypass, isBypassEndOrdered) = ((caller.actor, request.reason), false)
            around.log.warning(
                "everything is forwarded unjudged for \(request.seconds) s, by \(caller.actor.name): \(request.reason)")
            // Until the board has another end than that of a bypass that was on already.
            try await keeperDoes { $0.bypassLeft != nil && $0.bypassUntil != before }
            // An earlier one may have ended in the meantime, and its who and why with it.
            bypass = (caller.actor, request.reason)
            lookAtBypass()
            return bypassReport
        }
    }

    /// Ends a bypass before its time.
    func endBypass(by caller: Caller) async throws -> BypassReport {
        try await attempt("bypass.end", of: nil, by: caller) {
            guard around.board.bypassLeft != nil else { throw Refusal(.conflict, "no bypass is on") }
            try around.link.bypass(seconds: 0)
            log(event("bypass.end", nil, caller.actor, .done, nil))
            isBypassEndOrdered = true
            do {
                try await keeperDoes { $0.bypassLeft == nil }
            } catch {
                // It goes on, and when it ends that is not this order's doing.
                isBypassEndOrdered = false
                throw error
            }
            lookAtBypass()
            around.log.warning("the bypass is over, by \(caller.actor.name)")
            return bypassReport
        }
    }

    /// Waits until the board says what was ordered.
    private func keeperDoes(_ isDone: (BoardStatus) -> Bool) async throws {
        let end = clock.boot() + Self.keepersTime
        while !isDone(around.board) {
            guard clock.boot() < end else {
                throw Refusal(.failed, "keeper has not done it within two seconds; see `bulkhead status`")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Goes on with a bypass that an earlier control ordered: the audit log says who, and why. One that ended meanwhile gets its line.
    func recallBypass() {
        wasBypassed = around.board.bypassLeft != nil
        guard let last = try? store?.lastDone("bypass."), last.action == "bypass.begin" else { return }
        if wasBypassed {
            bypass = (last.actor, last.reason ?? "")
        } else {
            log(event("bypass.end", nil, .daemon("start"), .done, "its time was over, or an orderly stop has ended it"))
        }
    }

    /// Notices that a bypass has begun or ended by itself.
    func lookAtBypass() {
        let isOn = around.board.bypassLeft != nil
        if wasBypassed && !isOn {
            if !isBypassEndOrdered { log(event("bypass.end", nil, .daemon("deadline"), .done, nil)) }
            around.log.warning("the bypass is over: frames are judged again")
            (bypass, isBypassEndOrdered) = (nil, false)
        }
        wasBypassed = isOn
        around.conditions.set(
            "bypass",
            isOn
                ? "everything is forwarded unjudged" + (bypass.map { ", by \($0.actor.name): \($0.reason)" } ?? "")
                    + "; bulkhead bypass --end" : nil)
    }

    private var bypassReport: BypassReport {
        let left = around.board.bypassLeft
        var report = BypassReport(active: left != nil)
        guard let left else { return report }
        report.until = Timestamp(nanoseconds: clock.wall() + Int64(clamping: left)).description
        (report.actor, report.reason) = (bypass?.actor.text, bypass?.reason)
        return report
    }
}

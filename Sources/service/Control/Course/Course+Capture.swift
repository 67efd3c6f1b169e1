// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Logging
internal import State
internal import Telemetry

// Frames copied for somebody. Who may see what a frame carries may see passwords, so that a capture with payload is an administrator's; both
// its begin and its end are written down, and `status` says that it is going on.

extension Course {
    /// Begins a capture. What would not be written down is not done.
    func beginCapture(_ request: CaptureRequest, _ filter: FlowFilter, by caller: Caller) async throws -> CaptureFeed {
        try await attempt("capture.begin", of: request.words, by: caller) {
            guard request.payload != true || caller.grants.isAdministrator else {
                throw Refusal(
                    .forbidden, "a capture with payload needs the role administrator; without it the headers are captured")
            }
            guard let store else { throw Refusal(.unavailable, storeFault ?? "there is no state") }
            let (words, actor) = (request.words, caller.actor)
            let number = captures + 1
            let seconds = Int64(request.seconds ?? CaptureRequest.Limits.usualSeconds)
            let feed = try around.desk.begin(
                request, filter, by: actor.text,
                until: Timestamp(nanoseconds: clock.wall() + seconds * 1_000_000_000).description
            ) { end in
                Task { await self.captureIsOver(number, words, actor, end) }
            }
            captures = number
            do {
                try store.log(event("capture.begin", words, actor, .done, nil))
            } catch {
                feed.end("stopping")
                throw error
            }
            lookAtCapture()
            return feed
        }
    }

    /// Ends the capture that is going on.
    func endCapture(by caller: Caller) async throws -> CaptureEnd {
        try await attempt("capture.end", of: nil, by: caller) {
            guard around.desk.end("asked") else { throw Refusal(.conflict, "no capture is going on") }
            return await withCheckedContinuation { captureEnds[captures, default: []].append((caller.actor, $0)) }
        }
    }

    /// Writes down how a capture ended, and tells whoever waits for it.
    private func captureIsOver(_ number: Int, _ words: String, _ actor: Actor, _ end: CaptureEnd) {
        let missing = end.counts.suppressed + end.counts.lost + end.counts.undelivered
        let waiting = captureEnds.removeValue(forKey: number) ?? []
        let ender = end.why == "asked" ? waiting.first?.actor ?? actor : actor
        log(
            event(
                "capture.end", words, ender, .done,
                "\(end.why): \(end.counts.captured) sights, \(end.counts.bytes) bytes"
                    + (missing > 0 ? ", \(missing) are missing" : "")))
        lookAtCapture()
        for (_, waiting) in waiting { waiting.resume(returning: end) }
    }

    /// Notices that a capture has begun or ended.
    private func lookAtCapture() { around.conditions.set("capture", around.desk.words) }
}

// SPDX-License-Identifier: Apache-2.0
internal import Classifier
public import Compiler
public import Policy

/// Answers `policy probe`: one line of JSON in, one out, decided by the compiled snapshot and an address map with the code that
/// workers run. Only the nearest rules of a default deny are looked up in the model.
public struct ProbeSession: Sendable {
    let view: PolicyView

    /// A session over a set, as an appliance that places these zones sees it.
    public init(set: PolicySet, zones: [ZonePlacement] = [], generation: UInt32 = 1) throws(CompileError) {
        view = try PolicyView(set: set, zones: zones, generation: generation)
    }

    /// The answer to a line; `now` is unix seconds and stands where the line has no `at`. A line that is no probe is answered by
    /// `{"error": …}`.
    public func answer(line: String, now: UInt64) -> (json: String, isError: Bool) {
        do throws(QuestionError) {
            let request = try ProbeRequest(line: line)
            return (json(try judge(request, now: now)).line, false)
        } catch {
            return (JSONText.object([("error", .text(error.description))]).line, true)
        }
    }

    /// A connection, and what the snapshot says of it.
    struct Probed {
        var connection: Reference.Connection
        var judgement: Judgement
    }

    private func judge(_ request: ProbeRequest, now: UInt64) throws(QuestionError) -> Probed {
        let (source, destination) = try view.ends(
            from: request.from, to: request.to, zoneFrom: request.zoneFrom, zoneTo: request.zoneTo)
        let connection = Reference.Connection(
            from: source, to: destination, service: request.service, sourcePort: request.sourcePort, time: request.at ?? now)
        return Probed(connection: connection, judgement: view.judge(connection))
    }
}

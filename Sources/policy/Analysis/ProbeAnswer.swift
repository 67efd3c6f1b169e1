// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Compiler
internal import Net
internal import Record

/// From a judgement to the line that `policy probe` prints.
extension ProbeSession {
    /// `{"decision", "egress", "ingress", "cause"}`; a side that does not judge is null.
    func json(_ probed: Probed) -> JSONText {
        let judgement = probed.judgement
        let isUnjudged = memory.snapshot.record(judgement.egress).map { $0.flags & SideRecord.unjudged != 0 } ?? false
        let egress = isUnjudged ? nil : cause(judgement.egress, .egress)
        let ingress = cause(judgement.ingress, .ingress)
        return .object([
            ("decision", .text(name(judgement.decision))),
            ("egress", side(egress)),
            ("ingress", side(ingress)),
            ("cause", cause(probed, isUnjudged, egress, ingress)),
        ])
    }

    /// The cause of a record as this side's: causes that both sides share are kept under one of them.
    private func cause(_ record: UInt32, _ side: PolicySide) -> Cause? {
        guard var cause = compiled.causes.cause(ofRecord: record) else { return nil }
        cause.side = side
        return cause
    }

    private func name(_ decision: Decision) -> String { String(describing: decision) }

    private func side(_ cause: Cause?) -> JSONText { cause.map { .object(fields($0)) } ?? .null }

    private func fields(_ cause: Cause) -> [(String, JSONText)] {
        let layer = cause.deciding
        return [
            ("decision", .text(name(cause.decision))), ("layer", .text(layer?.layer.rawValue)), ("tier", .text(layer?.tier)),
            ("policy", .text(layer?.policy)), ("rule", .text(layer?.rule)), ("end", .text(layer?.end?.rawValue)),
        ]
    }

    /// The cause of the whole: the first side that does not allow, else the last one that judged, else the zone pair's setting, which
    /// is no side's.
    private func cause(_ probed: Probed, _ isUnjudged: Bool, _ egress: Cause?, _ ingress: Cause?) -> JSONText {
        let sides = [egress, ingress].compactMap { $0 }
        let zones = isUnjudged ? cause(probed.judgement.egress, .egress) : nil
        guard let cause = zones ?? sides.first(where: { $0.decision != .allow }) ?? sides.last else { return .null }
        var object = fields(cause)
        object.insert(("side", isUnjudged ? .null : .text(cause.side.rawValue)), at: 0)
        object.append(("generation", .number(Int(compiled.causes.generation))))
        let end = cause.deciding?.end
        let isDefaultDeny = cause.decision == .deny && (end == .tier || end == .namespace)
        let nearest = isDefaultDeny ? reference.nearest(cause.side, probed.connection) : []
        object.append(
            (
                "nearest",
                .list(
                    nearest.map { near in
                        .object([
                            ("policy", .text(near.policy)), ("rule", .text(near.rule)),
                            ("failed", .list(near.failed.map { .text($0) })),
                        ])
                    })
            ))
        return .object(object)
    }
}

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
        // What no side settles has a cause of its own: the zones.
        let zones =
            judgement.isSpoofed
            ? PolicyView.spoofed : view.isUnjudged(judgement.egress) ? view.cause(judgement.egress, .egress) : nil
        let egress = zones == nil ? view.cause(judgement.egress, .egress) : nil
        let ingress = view.cause(judgement.ingress, .ingress)
        return .object([
            ("decision", .text(name(judgement.decision))),
            ("egress", side(egress)),
            ("ingress", side(ingress)),
            ("cause", cause(probed, zones, egress, ingress)),
        ])
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

    /// The cause of the whole: the first side that does not allow, else the last one that judged; else what the zones say, which is no
    /// side's.
    private func cause(_ probed: Probed, _ zones: Cause?, _ egress: Cause?, _ ingress: Cause?) -> JSONText {
        let sides = [egress, ingress].compactMap { $0 }
        guard let cause = zones ?? sides.first(where: { $0.decision != .allow }) ?? sides.last else { return .null }
        var object = fields(cause)
        object.insert(("side", zones == nil ? .text(cause.side.rawValue) : .null), at: 0)
        object.append(("generation", .number(Int(view.compiled.causes.generation))))
        let end = cause.deciding?.end
        let isDefaultDeny = cause.decision == .deny && (end == .tier || end == .namespace)
        let nearest = isDefaultDeny ? view.reference.nearest(cause.side, probed.connection) : []
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

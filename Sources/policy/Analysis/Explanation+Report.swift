// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy
internal import Record

extension Explanation {
    /// The explanation for people.
    public func text(_ style: Style = Style()) -> String {
        var lines = ["\(source.text) -> \(destination.text), \(service), at \(Timestamp.text(time))"]
        lines.append(style.paint("\(decision)", decision == .allow ? .good : .bad) + (settled.map { ": \($0)" } ?? ""))
        if let validUntil { lines.append("this holds until \(Timestamp.text(validUntil)), when something expires") }
        for side in sides {
            lines.append("")
            lines.append(
                side.side + (side.workload.map { " of \($0)" } ?? "") + ": "
                    + style.paint("\(side.decision)", side.decision == .allow ? .good : .bad))
            if let failsafe = side.failsafe { lines.append("  held open by the failsafe \(failsafe), which no policy can close") }
            if let audit = side.audit { lines.append("  audit: would be \(audit) if what only reports decided") }
            for layer in side.layers { lines += self.lines(layer, style) }
            for near in side.nearest {
                lines.append(
                    style.fold(
                        "  nearest: policy \(near.policy) rule \(near.rule), not because of "
                            + near.failed.joined(separator: "; "), indent: "    "))
            }
        }
        lines.append("")
        lines.append("zones: \(source.zone) -> \(destination.zone)")
        if let caveat { lines.append(style.paint(caveat, .warning)) }
        switch sight {
        case .seen: lines.append("sight: the appliance sees this traffic")
        case .never(let why):
            lines.append(style.paint("not enforced here: \(why); the appliance never sees this traffic", .warning))
        case .unknown(let why): lines.append("sight: unknown, \(why)")
        }
        return lines.joined(separator: "\n")
    }

    private func lines(_ layer: Layer, _ style: Style) -> [String] {
        guard layer.decision != nil else { return [style.paint("  layer \(layer.layer): nothing applies", .faint)] }
        var lines = ["  layer \(layer.layer): \(layer.decision.map { "\($0)" } ?? "")"]
        for rule in layer.logged { lines.append("    logged by \(rule.text)") }
        for step in layer.steps {
            let text = style.fold("    tier \(step.tier): \(step.text)", indent: "      ")
            lines.append(step.act == "skipped" ? style.paint(text, .faint) : text)
        }
        if layer.end == "namespace" { lines.append("    default of the namespace: \(layer.decision.map { "\($0)" } ?? "")") }
        return lines
    }

    /// The explanation for machines, as one JSON document.
    public var json: String {
        JSONText.object([
            ("decision", .text("\(decision)")), ("from", source.json), ("to", destination.json), ("service", .text(service)),
            ("at", .text(Timestamp.text(time))), ("valid_until", .text(validUntil.map { Timestamp.text($0) })),
            ("generation", .number(Int(generation))), ("reason", .text(reason)), ("settled", .text(settled)),
            ("caveat", .text(caveat)),
            ("sight", .object([("answer", .text(sight.name)), ("reason", .text(sight.reason))])),
            ("sides", .list(sides.map(\.json))),
        ]).line
    }
}

extension Explanation.End {
    fileprivate var text: String { workload.map { "\($0) (\(address))" } ?? address }
    fileprivate var json: JSONText {
        .object([("address", .text(address)), ("workload", .text(workload)), ("zone", .text(zone))])
    }
}

extension Explanation.Named {
    /// `policy shop/db rule sql (file:1:2)`.
    var text: String { "policy \(policy)" + (rule.map { " rule \($0)" } ?? "") + " (\(place))" }
    fileprivate var json: JSONText {
        .object([("policy", .text(policy)), ("rule", .text(rule)), ("action", .text(action)), ("place", .text(place))])
    }
}

extension Explanation.Step {
    fileprivate var text: String {
        switch act {
        case "decided": "decided, \(rule?.action ?? "") by \(rule?.text ?? "")"
        case "left": "left by \(rule?.text ?? "")"
        case "isolated":
            "isolated by \(isolating.map(\.text).joined(separator: ", ")), and its end says \(end ?? "")"
        default: "skipped"
        }
    }
    fileprivate var json: JSONText {
        .object([
            ("tier", .text(tier)), ("act", .text(act)), ("rule", rule?.json ?? .null),
            ("isolating", .list(isolating.map(\.json))),
            ("end", .text(end)),
        ])
    }
}

extension Explanation.Side {
    fileprivate var json: JSONText {
        .object([
            ("side", .text(side)), ("workload", .text(workload)), ("failsafe", .text(failsafe)),
            ("decision", .text("\(decision)")),
            ("audit", .text(audit.map { "\($0)" })),
            (
                "layers",
                .list(
                    layers.map { layer in
                        .object([
                            ("layer", .text(layer.layer)), ("decision", .text(layer.decision.map { "\($0)" })),
                            ("end", .text(layer.end)),
                            ("logged", .list(layer.logged.map(\.json))), ("tiers", .list(layer.steps.map(\.json))),
                        ])
                    })
            ),
            (
                "nearest",
                .list(
                    nearest.map { near in
                        .object([
                            ("policy", .text(near.policy)), ("rule", .text(near.rule)),
                            ("failed", .list(near.failed.map { .text($0) })),
                        ])
                    })
            ),
        ])
    }
}

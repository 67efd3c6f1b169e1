// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

extension Comparison {
    /// The boxes for people, one after the other, widening ones first and marked `+`; no text where both sets are proved equal.
    public func text(_ style: Style = Style()) -> String {
        var lines: [String] = []
        for box in boxes {
            lines.append(
                style.difference(
                    from: box.sources.text, to: box.destinations.text, services: box.services.map(\.text), old: box.oldText,
                    new: box.newText))
        }
        if !boxes.isEmpty {
            let widening = boxes.count(where: \.isWidening)
            lines.append(
                "\(boxes.count) \(boxes.count == 1 ? "box differs" : "boxes differ"), \(widening) of them let more through")
        }
        if !isComplete {
            lines.append(
                style.paint(
                    "not proved: the steps were spent before everything was compared; more may differ (--steps)", .warning))
        }
        return lines.joined(separator: "\n")
    }

    /// One JSON document.
    public var json: String {
        JSONText.object([
            ("equal", .truth(isProvedEqual)), ("complete", .truth(isComplete)), ("cells", .number(cells)),
            ("boxes", .list(boxes.map(\.json))),
        ]).line
    }
}

extension Style {
    /// A box of what differs as a line for people, from its parts as reports hold them: marked `+` where it lets more through, `-` where
    /// less, and `~` where it only refuses otherwise.
    public func difference(from sources: String, to destinations: String, services: [String], old: String, new: String) -> String
    {
        let (mark, tone): (String, Tone) = new == "allow" ? ("+", .good) : old == "allow" ? ("-", .bad) : ("~", .warning)
        let named = Naming.few(services, "services").joined(separator: ", ")
        return paint(fold("\(mark) \(sources) -> \(destinations), \(named): \(old) -> \(new)", indent: "    "), tone)
    }
}

extension Comparison.Box {
    /// The old decision in words: `deny (spoofed)`.
    var oldText: String { "\(old)\(isOldSpoofed ? " (spoofed)" : "")" }
    /// The new decision in words.
    var newText: String { "\(new)\(isNewSpoofed ? " (spoofed)" : "")" }

    fileprivate var json: JSONText {
        .object([
            ("sources", sources.json), ("destinations", destinations.json), ("services", .list(services.map { .text($0.text) })),
            ("old", .text("\(old)")), ("new", .text("\(new)")), ("widening", .truth(isWidening)),
            ("old_spoofed", .truth(isOldSpoofed)), ("new_spoofed", .truth(isNewSpoofed)),
        ])
    }
}

extension Party {
    fileprivate var json: JSONText {
        .object([
            ("text", .text(text)), ("workloads", .list(workloads.map { .text($0) })),
            ("addresses", .list(addresses.map { .text($0) })), ("zones", .list(zones.map { .text($0) })),
        ])
    }
}

extension Lint {
    /// The findings of a level and above, for people: `file:line:column: level: reason [code]`, and what to do.
    public func text(from level: LintCode.Level, _ style: Style = Style()) -> String {
        let told = findings.filter { $0.level >= level }
        var lines: [String] = []
        for finding in told {
            let tone: Style.Tone = finding.level == .error ? .bad : finding.level == .warning ? .warning : .faint
            lines.append(
                style.fold(
                    "\(finding.place): \(style.paint(finding.level.rawValue, tone)): \(finding.reason) [\(finding.code.rawValue)]",
                    indent: "    "))
            lines.append(style.fold("    \(finding.remedy)", indent: "    "))
        }
        let counts = LintCode.Level.allCases.reversed().map { level in
            let count = findings.count { $0.level == level }
            return "\(count) \(level.rawValue)\(count == 1 ? "" : "s")"
        }
        lines.append(counts.joined(separator: ", "))
        return lines.joined(separator: "\n")
    }

    /// One JSON document.
    public func json(from level: LintCode.Level) -> String {
        JSONText.object([
            (
                "findings",
                .list(
                    findings.filter { $0.level >= level }.map { finding in
                        .object([
                            ("code", .text(finding.code.rawValue)), ("level", .text(finding.level.rawValue)),
                            ("file", .text(finding.place.file)), ("line", .number(finding.place.line)),
                            ("column", .number(finding.place.column)), ("reason", .text(finding.reason)),
                            ("remedy", .text(finding.remedy)),
                        ])
                    })
            )
        ]).line
    }
}

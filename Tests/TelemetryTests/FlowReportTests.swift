// SPDX-License-Identifier: Apache-2.0
import Foundation
import Net
import Record
import Telemetry
import TestSupport
import Testing

@Suite struct FlowReports {
    @Test func `a refused connection is one line with its cause and the nearest rule`() {
        let report = FlowReport(
            event { ($0.event, $0.decision, $0.reason) = (FlowRecord.Event.refused.rawValue, 1, DropReason.denied.number) })
        #expect(
            report.line(colour: false) == "1970-01-01T00:00:00.000000Z refused shop/web-1 (10.9.0.11:50000) -> "
                + "shop/db-1 (10.9.0.21:5432) tcp:5432 deny default deny of tier default; "
                + #"nearest policy shop/db rule sql-from-web (not: from: app == "web")"#)
    }

    @Test func `an admitted connection names policy and rule`() {
        let line = FlowReport(event { $0.ingressRecord = 2 }).line(colour: false)
        #expect(line.hasSuffix("tcp:5432 allow policy shop/db rule sql"))
    }

    @Test func `ICMP shows type and code, IPv6 its brackets, an ended flow its counters`() {
        let ping = FlowReport(event { ($0.protocolNumber, $0.sourcePort, $0.destinationPort) = (1, 77, 0x0800) })
        #expect(ping.service == "icmp:8.0" && ping.source.port == nil && ping.type == 8 && ping.code == 0)
        let ended = FlowReport(
            event {
                $0.source = Address("fd00::11")
                $0.sourceWorkload = FlowRecord.none32
                ($0.event, $0.forwardFrames, $0.reverseBytes, $0.suppressed) = (FlowRecord.Event.end.rawValue, 4, 900, 2)
            })
        let line = ended.line(colour: false)
        #expect(line.contains(" [fd00::11]:50000 -> "))
        #expect(line.hasSuffix("[4/0 frames, 0/900 bytes] [+2 like this]"))
    }

    @Test func `a drop that no policy decided shows its reason`() {
        let line = FlowReport(
            event {
                ($0.egressRecord, $0.ingressRecord) = (FlowRecord.none32, FlowRecord.none32)
                ($0.event, $0.decision, $0.reason) = (FlowRecord.Event.refused.rawValue, 1, DropReason.flowTableFull.number)
            }
        ).line(colour: false)
        #expect(line.hasSuffix("tcp:5432 deny flowTableFull"))
    }

    @Test func `only the decision is coloured, and only when asked`() {
        let report = FlowReport(event())
        #expect(report.line(colour: true).contains("\u{1b}[32mallow\u{1b}[0m"))
        #expect(!report.line(colour: false).contains("\u{1b}"))
    }

    @Test func `names from documents cannot steer a terminal`() {
        var names = names()
        names.workloads = ["shop/\u{1b}]0;owned\u{7}", "shop/\u{202e}gnol\n"]
        var decoder = FlowDecoder(pairs: [])
        decoder.learn(names)
        let line = FlowReport(decoder.decode(record(), wallOffset: 0)).line(colour: false)
        #expect(line.contains(#"shop/\u{1b}]0;owned\u{7}"#) && line.contains(#"shop/\u{202e}gnol\u{a}"#))
        #expect(line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }

    @Test func `a report survives JSON, and absent facts of a cause are null`() throws {
        let report = FlowReport(event { ($0.vlans, $0.tunnelKind, $0.tunnelIdentifier) = (0x8064_8007, 3, 42) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(report)
        #expect(try JSONDecoder().decode(FlowReport.self, from: data) == report)
        let text = String(decoding: data, as: UTF8.self)
        #expect(report.vlans == [100, 7] && report.tunnel?.kind == "vxlan" && report.tunnel?.identifier == 42)
        #expect(
            text.contains(
                #""cause":{"decision":"deny","end":"tier","generation":3,"layer":"network","nearest":[{"failed":["from: app == \"web\""],"#
                    + #""policy":"shop/db","rule":"sql-from-web"}],"policy":null,"rule":null,"side":"ingress","tier":"default"}"#)
        )
        #expect(
            text.contains(
                #""egress":{"decision":"allow","end":null,"layer":"network","policy":"shop/web","rule":"1","tier":"default"}"#))
    }
}

// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import TestSupport
import Layout
import Net
import Record
import State
import Synchronization
import Telemetry
import Testing

@testable import Control

/// Captures from the request to the last word, with the test as the worker.
@Suite("Captures in control") struct CaptureCourseTests {
    /// A filter of conditions, and the request that holds them.
    private func asking(
        _ conditions: [(String, String)] = [], _ change: (inout CaptureRequest) -> Void = { _ in }
    ) throws -> (CaptureRequest, FlowFilter) {
        var request = CaptureRequest()
        request.conditions = conditions.map { .init(key: $0.0, value: $0.1) }
        change(&request)
        var filter = FlowFilter()
        try #require(request.fault(&filter) == nil)
        return (request, filter)
    }

    /// The order that workers would find now, as soon as there is one.
    private func order(_ bench: CourseBench, where isSuch: (CaptureOrder) -> Bool = { _ in true }) throws -> CaptureOrder {
        for _ in 0..<1000 {
            let isArmed = unsafe bench.files.inquiries.armed.pointee.load(ordering: .acquiring) > 0
            if isArmed, let order = bench.files.inquiries.order.read(), order.isPossible, isSuch(order) { return order }
            Thread.sleep(forTimeInterval: 0.01)
        }
        throw Refusal(.failed, "no such order came")
    }

    private var isArmed: (CourseBench) -> Bool {
        { bench in unsafe bench.files.inquiries.armed.pointee.load(ordering: .acquiring) > 0 }
    }

    /// Writes sights as a worker would.
    private func see(_ bench: CourseBench, _ capture: UInt64, port: UInt16, count: Int = 1, firstSerial: UInt64 = 1) {
        var ring = unsafe CaptureProducer(base: bench.files.inquiries.ring(ofWorker: 0))
        for number in 0..<UInt64(count) {
            var frame = CapturedFrame()
            (frame.capture, frame.serial, frame.length, frame.captured) = (capture, firstSerial + number, 60, 60)
            (frame.flow.source, frame.flow.destination) = (Address("10.9.0.11"), Address("10.9.0.21"))
            (frame.flow.sourcePort, frame.flow.destinationPort, frame.flow.protocolNumber) = (50_000, port, 6)
            (frame.flow.generation, frame.flow.sourceWorkload, frame.flow.decision) = (1, 1, FlowRecord.none8)
            guard ring.room() > 0 else {
                ring.lose()
                continue
            }
            unsafe ring.slot(0).storeBytes(of: frame, as: CapturedFrame.self)
            ring.publish(1)
        }
    }

    /// What comes until the end.
    private func all(_ feed: CaptureFeed) async -> (frames: [FrameReport], end: CaptureEnd?) {
        var (frames, end): ([FrameReport], CaptureEnd?) = ([], nil)
        for await delivery in feed.deliveries {
            switch delivery {
            case .frames(let more): frames += more
            case .counts: break
            case .end(let last): end = last
            }
        }
        return (frames, end)
    }

    private func actions(_ bench: CourseBench) async throws -> [String] {
        try await bench.course.auditLog(before: nil, limit: 10).map { "\($0.action) \($0.result) \($0.object ?? "")" }
    }

    @Test func `a capture orders what its filter asks for, hands on what fits, and is written down`() async throws {
        try await withCourse { bench in
            let (request, filter) = try asking([("workload", "shop/web-1"), ("port", "22")]) { $0.frames = 2 }
            let feed = try await bench.course.beginCapture(request, filter, by: bench.administrator)
            #expect(feed.begin.ports == ["left", "right"] && !feed.begin.payload && feed.begin.snap == 1856)
            let order = try order(bench)
            // 10.9.0.11 and fd00::11, where that workload is.
            #expect(order.blockCount == 2 && order.portCount == 1 && order.ports[0] == 22 && order.withPayload == 0)
            #expect(bench.course.status().conditions?.contains { $0.name == "capture" && $0.detail.contains("port=22") } == true)
            // Another port, what an earlier capture left, and three that fit, of which two are enough.
            see(bench, order.number, port: 23)
            see(bench, order.number - 1, port: 22)
            see(bench, order.number, port: 22, count: 3, firstSerial: 7)
            let (frames, end) = await all(feed)
            #expect(frames.map { $0.number & 0xffff } == [7, 8] && end?.why == "frames" && end?.counts.captured == 2)
            #expect(frames.first?.comment.contains { $0.contains("shop/web-1 (10.9.0.11:50000)") } == true, "\(frames)")
            #expect(!isArmed(bench))
            for _ in 0..<500 where try await actions(bench).count < 2 { try await Task.sleep(for: .milliseconds(10)) }
            let lines = try await actions(bench)
            #expect(lines.prefix(2).map { String($0.prefix(18)) } == ["capture.end done h", "capture.begin done"], "\(lines)")
            #expect(lines[1].contains("headers, workload=shop/web-1, port=22, for 300 s"))
            #expect(bench.course.status().conditions?.contains { $0.name == "capture" } != true)
        }
    }

    @Test func `there is one at a time, which anybody who may can end`() async throws {
        try await withCourse { bench in
            let (request, filter) = try asking()
            let feed = try await bench.course.beginCapture(request, filter, by: bench.administrator)
            let second = await refusal { try await bench.course.beginCapture(request, filter, by: bench.administrator) }
            #expect(second?.kind == .conflict && second?.detail.contains("captures frames: headers, for 300 s") == true)
            async let seen = all(feed)
            let end = try await bench.course.endCapture(by: bench.operating("olga"))
            #expect(end.why == "asked" && end.counts == CaptureCounts())
            #expect(try await bench.course.auditLog(before: nil, limit: 1).map(\.actor) == ["olga (uid 1000)"])
            #expect(await seen.end == end && !isArmed(bench))
            #expect(await refusal { try await bench.course.endCapture(by: bench.administrator) }?.kind == .conflict)
            let next = try await bench.course.beginCapture(request, filter, by: bench.administrator)
            next.end("asked")
            _ = await all(next)
        }
    }

    @Test func `payload is for administrators, and a refusal is written down`() async throws {
        try await withCourse { bench in
            var grants = Grants()
            (grants.isViewer, grants.isOperator) = (true, true)
            let caller = Caller(actor: bench.administrator.actor, grants: grants, began: nil)
            let (whole, filter) = try asking { $0.payload = true }
            #expect(await refusal { try await bench.course.beginCapture(whole, filter, by: caller) }?.kind == .forbidden)
            #expect(try await actions(bench).first?.hasPrefix("capture.begin refused payload") == true)
            #expect(!isArmed(bench))
            let (headers, _) = try asking()
            let feed = try await bench.course.beginCapture(headers, filter, by: caller)
            feed.end("asked")
            _ = await all(feed)
        }
    }

    @Test func `its time ends it, and the workers' order never holds longer than a few seconds`() async throws {
        try await withCourse { bench in
            let (request, filter) = try asking { $0.seconds = 1 }
            let before = CaptureSession.now
            let feed = try await bench.course.beginCapture(request, filter, by: bench.administrator)
            _ = try order(bench)
            let until = unsafe bench.files.inquiries.armed.pointee.load(ordering: .acquiring)
            #expect(until >= before && until <= CaptureSession.now + 1_000_000_000)
            #expect(await all(feed).end?.why == "time" && !isArmed(bench))
            let (long, _) = try asking()
            let other = try await bench.course.beginCapture(long, filter, by: bench.administrator)
            _ = try order(bench)
            #expect(
                unsafe bench.files.inquiries.armed.pointee.load(ordering: .acquiring)
                    <= CaptureSession.now + CaptureSession.lease)
            other.end("asked")
            _ = await all(other)
        }
    }

    @Test func `a client that takes nothing loses sights, counted, and holds up nobody`() async throws {
        try await withCourse { bench in
            let (request, filter) = try asking()
            let feed = try await bench.course.beginCapture(request, filter, by: bench.administrator)
            let number = try order(bench).number
            // More than the backlog holds: 64 batches of 64 sights.
            for round in 0..<10 {
                see(bench, number, port: 22, count: 1000, firstSerial: UInt64(round * 1000))
                try await Task.sleep(for: .milliseconds(60))
            }
            feed.end("asked")
            try await Task.sleep(for: .milliseconds(100))
            let (frames, end) = await all(feed)
            let counts = try #require(end?.counts)
            #expect(UInt64(frames.count) == counts.captured && counts.undelivered > 0)
            #expect(counts.captured + counts.undelivered + counts.lost == 10_000, "\(counts)")
        }
    }

    @Test func `one whose client is gone ends, and what an earlier control left ordered is taken back`() async throws {
        try await withCourse { bench in
            let (request, filter) = try asking()
            do { _ = try await bench.course.beginCapture(request, filter, by: bench.administrator) }
            for _ in 0..<500 where isArmed(bench) { try await Task.sleep(for: .milliseconds(10)) }
            #expect(!isArmed(bench))
            bench.files.inquiries.arm(CaptureOrder(), until: .max)
            _ = CaptureDesk(bench.files, KnownNames(bench.files.plan), PolicyInForce())
            #expect(!isArmed(bench))
        }
    }
}

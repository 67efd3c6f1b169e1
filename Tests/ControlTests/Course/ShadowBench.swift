// SPDX-License-Identifier: Apache-2.0
import API
import Classifier
import Foundation
import Layout
import Net
import Record
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Control

extension CourseBench {
    /// Begins to shadow a set.
    @discardableResult
    func shadow(
        _ text: String, seconds: UInt32 = 3600, by caller: Caller? = nil, _ change: (inout ShadowRequest) -> Void = { _ in }
    ) async throws -> ShadowStart {
        var request = ShadowRequest(files: [DocumentFile(name: "candidate.yaml", text: text)], seconds: seconds)
        change(&request)
        return try await course.startShadow(request, by: caller ?? administrator)
    }

    /// The run as it stands, once everything that was sent has been judged.
    func shadowed() throws -> ShadowReport { try #require(course.around.shadow.run).report(limit: 1000) }

    /// Somebody opens a connection: what the generation in force decides becomes a record, as a worker writes it, and goes the way of
    /// records. Returns the event.
    @discardableResult
    func connect(
        _ from: String, _ to: String, port: UInt16 = 5432, protocol number: IPProtocol = .tcp,
        _ change: (inout FlowRecord) -> Void = { _ in }
    ) throws -> FlowEvent {
        let (image, map, generation) = try #require(
            keeper.withLock { keeper in
                keeper.images[keeper.generation].flatMap { image in
                    keeper.maps[keeper.generation].map { (image, $0, keeper.generation) }
                }
            })
        let snapshot = try unsafe Snapshot(validating: image.base, byteCount: image.byteCount)
        let addresses = try unsafe AddressMap(validating: map.base, byteCount: map.byteCount)
        var record = FlowRecord()
        (record.source, record.destination) = (try #require(Address(from)), try #require(Address(to)))
        (record.sourcePort, record.destinationPort, record.protocolNumber) = (50_000, port, number.rawValue)
        let zones = (UInt8(0)...1).map { snapshot.zone(pair: 0, port: $0, vlans: VLANTags(), tunnel: Tunnel()) }
        let source = snapshot.owner(of: record.source, zone: zones[0], in: addresses)
        let destination = snapshot.owner(of: record.destination, zone: zones[1], in: addresses)
        let now = clocks.clock.wall()
        let judgement = snapshot.judge(
            source: source, destination: destination, sourceZone: zones[0], destinationZone: zones[1],
            service: ServiceKey(number, port: port), sourcePort: record.sourcePort, now: UInt64(now / 1_000_000_000))
        record.event = (judgement.decision == .allow ? FlowRecord.Event.start : .refused).rawValue
        record.reason = judgement.decision == .allow ? FlowRecord.none8 : judgement.reason.rawValue
        (record.decision, record.auditDecision) = (judgement.decision.rawValue, judgement.auditDecision)
        (record.egressRecord, record.ingressRecord) = (judgement.egress, judgement.ingress)
        (record.sourceZone, record.destinationZone) = (zones[0], zones[1])
        (record.sourceClass, record.destinationClass) = (source.classNumber, destination.classNumber)
        (record.sourceWorkload, record.destinationWorkload) = (source.workload, destination.workload)
        (record.generation, record.epoch) = (generation, addresses.epoch)
        record.time = EventDrain.monotonic
        change(&record)
        let event = course.around.names.now.decode(record, wallOffset: now - Int64(record.time))
        course.shadowDoor.take([event], lost: 0)
        return event
    }

    /// Waits until so many connections were taken in, whatever came of them.
    func settle(_ count: UInt64) async throws {
        let run = try #require(course.around.shadow.run)
        _ = await comesTrue { run.counts.judged + run.counts.unjudged >= count }
        #expect(run.counts.judged + run.counts.unjudged == count)
    }
}

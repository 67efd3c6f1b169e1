// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Foundation
import Net
import Policy
import PolicyText
import Record

/// A compiled set with its map, in this process's memory.
@safe final class Loaded {
    let compiled: Compiled
    var inventory = Inventory()
    let snapshot: Snapshot
    let map: AddressMap
    private let image: UnsafeMutableRawPointer
    private let addresses: UnsafeMutableRawPointer

    init(_ set: PolicySet, zones: [ZonePlacement] = [], failsafe: Failsafe = Failsafe(), slots: Int = 4_096) throws {
        compiled = try compile(set, zones: zones, failsafe: failsafe, generation: 3, inventory: &inventory)
        unsafe image = .allocate(byteCount: compiled.image.count, alignment: 64)
        unsafe image.copyMemory(from: compiled.image, byteCount: compiled.image.count)
        let size = AddressMapLayout.byteCount(slots: slots)
        unsafe addresses = .allocate(byteCount: size, alignment: 64)
        unsafe addresses.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        var writer = unsafe AddressMapWriter(formatting: addresses, slots: slots, serial: 1, seed: 5)
        try inventory.feed(compiled.set, into: &writer)
        snapshot = try unsafe Snapshot(validating: image, byteCount: compiled.image.count)
        map = try unsafe AddressMap(validating: addresses, byteCount: size)
    }

    deinit {
        unsafe image.deallocate()
        unsafe addresses.deallocate()
    }

    func judge(_ connection: Reference.Connection) -> Judgement {
        let from = inventory.zone(connection.source.zone) ?? 0
        let to = inventory.zone(connection.destination.zone) ?? 0
        let source = snapshot.owner(of: connection.source.address, zone: from, in: map)
        if source.isElsewhere { return .unasked(.spoofed) }
        let destination = snapshot.owner(of: connection.destination.address, zone: to, in: map)
        if connection.destination.address.isMulticast || connection.destination.address.isBroadcast {
            return snapshot.judgeGroup(
                source: source, destination: destination, sourceZone: from, destinationZone: to, service: connection.service,
                sourcePort: connection.sourcePort, now: connection.time)
        }
        return snapshot.judge(
            source: source, destination: destination, sourceZone: from, destinationZone: to, service: connection.service,
            sourcePort: connection.sourcePort, now: connection.time)
    }

    /// The judgement in the reference's words.
    func answer(_ connection: Reference.Connection) -> Reference.Answer {
        let judged = judge(connection)
        let causes = compiled.causes
        let isUnjudged = snapshot.record(judged.egress).map { $0.flags & SideRecord.unjudged != 0 } ?? false
        var egress = isUnjudged ? nil : causes.cause(ofRecord: judged.egress)
        var ingress = causes.cause(ofRecord: judged.ingress)
        egress?.side = .egress
        ingress?.side = .ingress
        return Reference.Answer(
            egress: egress, ingress: ingress, egressAudit: isUnjudged ? nil : causes.audit(ofRecord: judged.egress),
            ingressAudit: causes.audit(ofRecord: judged.ingress), decision: judged.decision,
            isSpoofed: judged.reason == .spoofed)
    }
}

extension Reference.Connection {
    /// A connection in one line, for a failing test.
    var line: String {
        "\(source.address)@\(source.zone) -> \(destination.address)@\(destination.zone) "
            + "\(service.rawValue >> 16)/\(service.rawValue & 0xffff) from port \(sourcePort) at \(time)"
    }
}

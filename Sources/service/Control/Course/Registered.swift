// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Policy
internal import PolicyText
internal import State

/// A workload that came through the API, as control works with it.
struct Registered: Sendable {
    /// The workload.
    var workload: Workload
    /// Who registered it.
    var actor: Actor
    /// When it was registered or its lease renewed, in steady time.
    var since: Int64
    /// When its lease ends, in steady time; `nil` for one that lasts.
    var until: Int64?

    /// A registration that begins now; `lease` are seconds.
    init(_ workload: Workload, by actor: Actor, lease: UInt32?, at now: Int64) {
        self.workload = workload
        self.workload.place = Self.place(actor)
        (self.actor, since) = (actor, now)
        until = lease.map { now + Int64($0) * 1_000_000_000 }
    }

    /// A registration as the store keeps it; throws where this version does not understand the document.
    init(_ registration: Registration) throws(PolicyError) {
        let place = Self.place(registration.actor)
        guard case .workload(let workload)? = try decode(registration.document, file: place.file).first else {
            throw PolicyError(place, "registration \"\(registration.name)\" is no workload")
        }
        self.workload = workload
        self.workload.place = place
        (actor, since, until) = (registration.actor, registration.since, registration.leaseUntil)
    }

    /// As the store keeps it.
    var registration: Registration {
        Registration(
            name: workload.name.description, document: Document.workload(workload).yaml, actor: actor, since: since,
            leaseUntil: until)
    }

    /// The length of its lease in seconds.
    var lease: UInt32? { until.map { UInt32(clamping: ($0 - since) / 1_000_000_000) } }

    private static func place(_ actor: Actor) -> Place { Place(file: "(registered by \(actor.name))", line: 1, column: 1) }
}

// SPDX-License-Identifier: Apache-2.0
public import Net
public import Policy

/// Management services that no policy can close, so that a wrong policy can still be put right: one list for the box itself, one for
/// what passes through it. They stand before all layers, also for traffic that no side judges; only a contested address stays denied.
public struct Failsafe: Sendable {
    /// One service that stays open.
    public struct Opening: Hashable, Sendable {
        /// What it is called in causes.
        public var name: String
        /// The services; any of them.
        public var services: [ServiceRange]
        /// Who may open it; anybody where absent.
        public var from: Term?
        /// To whom; anybody where absent. Not asked in the list for the box itself.
        public var to: Term?

        /// An opening. Terms may ask for blocks and zones: anything else could be closed by a label.
        public init(_ name: String, services: [ServiceRange], from: Term? = nil, to: Term? = nil) {
            self.name = name
            self.services = services
            self.from = from
            self.to = to
        }
    }

    /// The box's own addresses, which is also what the entity `host` means; none for a pure bump in the wire.
    public var addresses: [Prefix]
    /// What stays open towards the box itself.
    public var box: [Opening]
    /// What stays open through it.
    public var transit: [Opening]

    /// No service stays open, and the box has no address.
    public init(addresses: [Prefix] = [], box: [Opening] = [], transit: [Opening] = []) {
        self.addresses = addresses
        self.box = box
        self.transit = transit
    }

    /// Both lists, the box's own with its addresses as destination.
    var openings: [Opening] {
        box.map { opening in
            var own = opening
            own.to = Term()
            own.to?.cidrs = addresses
            return own
        } + transit
    }
}

// SPDX-License-Identifier: Apache-2.0

/// What there is to know about a port before a pair starts on it. A plain value: surveyed on the spot (`survey`), or written down from
/// another machine.
public struct PortFacts: Sendable, Equatable {
    /// What netlink says of it.
    public var interface: Interface
    /// The driver's own version.
    public var driverVersion = ""
    /// Offloads by whether they are on; absent where the driver does not say.
    public var offloads: [Offload: Bool] = [:]
    /// Whether the device joins received segments by GRO; nil when it cannot.
    public var hardwareGRO: Bool?
    /// Queues in use and the most there can be.
    public var channels: Channels?
    /// Descriptors in the device's receive ring.
    public var receiveRing: UInt32?
    /// How frames are spread over queues.
    public var spreading: Spreading?
    /// What the driver says about XDP (Linux 6.3); nil when nobody says.
    public var abilities: Abilities?
    /// Whether the XDP program on it is ours.
    public var isOurProgram = false
    /// What this host does on the port for itself.
    public var host = Host()
    /// Interrupts that busy polling puts off, and for how long in nanoseconds; nil when it cannot be seen.
    public var deferral: Deferral?
    /// Where it is plugged in; nil for virtual devices.
    public var slot: Slot?
    /// The other end of a veth.
    public var farEnd: FarEnd?

    /// A port of which no more is known than this.
    public init(_ interface: Interface) { self.interface = interface }

    /// Its name.
    public var name: String { interface.name }
    /// Whether frames it hands to the far end go through a stack on this machine.
    var isVeth: Bool { interface.driver == "veth" }
}

extension PortFacts {
    /// Queues (`ethtool -l`): in use, and the most there can be.
    public struct Channels: Sendable, Equatable {
        /// Queues for both ways.
        public var combined: UInt32
        /// The most of them.
        public var mostCombined: UInt32
        /// The most for reception alone.
        public var mostReceive: UInt32

        /// By name.
        public init(combined: UInt32, mostCombined: UInt32, mostReceive: UInt32 = 0) {
            (self.combined, self.mostCombined, self.mostReceive) = (combined, mostCombined, mostReceive)
        }
    }

    /// How frames are spread over queues (`ethtool -x`).
    public struct Spreading: Sendable, Equatable {
        /// The hash key.
        public var key: [UInt8]
        /// Entries of the indirection table.
        public var tableSize: UInt32
        /// A fingerprint of the table.
        public var tablePrint: UInt64
        /// The hash function (ETH_RSS_HASH_…).
        public var function: UInt8
        /// What is done to the fields first (RXH_XFRM_…): 1 is symmetric-xor, 2 symmetric-or-xor.
        public var transform: UInt8

        /// By name.
        public init(key: [UInt8], tableSize: UInt32, tablePrint: UInt64, function: UInt8 = 1, transform: UInt8 = 0) {
            (self.key, self.tableSize, self.tablePrint) = (key, tableSize, tablePrint)
            (self.function, self.transform) = (function, transform)
        }

        /// Whether both directions of a flow hash alike: by the transform, or by a key that repeats every two bytes.
        public var isSymmetric: Bool {
            transform & 3 != 0 || key.count > 2 && (2..<key.count).allSatisfy { key[$0] == key[$0 - 2] }
        }
    }

    /// What a driver can do with XDP.
    public struct Abilities: Sendable, Equatable {
        /// Programs run in the driver.
        public var native: Bool
        /// AF_XDP without a copy.
        public var zeroCopy: Bool
        /// Frames can be redirected to it now. On a veth: its far end runs NAPI.
        public var target: Bool

        /// By name.
        public init(native: Bool, zeroCopy: Bool, target: Bool) {
            (self.native, self.zeroCopy, self.target) = (native, zeroCopy, target)
        }
    }

    /// What this host does on the port for itself.
    public struct Host: Sendable, Equatable {
        /// Addresses other than IPv6 link-local ones.
        public var addresses = 0
        /// IPv6 link-local addresses.
        public var linkLocal = 0
        /// The first of them, as text.
        public var address = ""
        /// Whether a default route leaves by it.
        public var isDefaultRoute = false
        /// Whether it forwards IPv4 that comes in by it.
        public var forwardsIPv4 = false
        /// The same for IPv6.
        public var forwardsIPv6 = false
        /// Whether it checks the sources of what it forwards.
        public var checksSources = true

        /// A host that does nothing there.
        public init() {}
    }

    /// How long the device's interrupts wait for a poller.
    public struct Deferral: Sendable, Equatable {
        /// Interrupts to put off.
        public var interrupts: Int
        /// How long, in nanoseconds.
        public var timeout: Int
        /// The folder in sysfs that both are set in.
        public var folder: String

        /// By name.
        public init(interrupts: Int, timeout: Int, folder: String) {
            (self.interrupts, self.timeout, self.folder) = (interrupts, timeout, folder)
        }
    }

    /// Where a device is plugged in.
    public struct Slot: Sendable, Equatable {
        /// Its PCI address.
        public var address: String
        /// Lanes in use and the most it has; 0 when there are none.
        public var width = 0
        /// The most lanes that it has.
        public var mostWidth = 0
        /// Speed of a lane in GT/s (whole ones).
        public var speed = 0
        /// The most it can.
        public var mostSpeed = 0
        /// How the IOMMU treats it: `identity`, `DMA`, `DMA-FQ`; nil when none does.
        public var domain: String?
        /// CPUs that take its interrupts, by interrupt.
        public var interrupts: [Int: [Int]] = [:]

        /// A device at an address.
        public init(address: String) { self.address = address }
    }
}

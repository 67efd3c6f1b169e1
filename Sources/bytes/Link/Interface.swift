// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc
public import Net

/// A network interface as it was when it was looked up, in the network namespace of the thread that looked.
public struct Interface: Sendable, Equatable {
    /// Its name, at most 15 bytes.
    public let name: String
    /// Its number; a device that comes back after deletion has another one.
    public let index: UInt32
    /// Its hardware address; 0 when it has none of six bytes.
    public let address: MACAddress
    /// The largest payload of a frame, without the Ethernet header, in bytes.
    public let mtu: UInt32
    /// The kernel's IFF_… flags.
    public let flags: UInt32
    /// The driver's name, as `ethtool -i` shows it; empty when it tells none.
    public let driver: String
    /// Where the device is on its bus, as `ethtool -i` shows it; empty for virtual ones.
    public let busAddress: String
    /// The kind of a virtual device (`veth`, `bond`, `vlan`, …); empty for hardware.
    public let kind: String
    /// Receive queues in use.
    public let receiveQueues: UInt32
    /// Transmit queues in use.
    public let transmitQueues: UInt32
    /// The NUMA node of its device, or -1 when it has none.
    public let numaNode: Int32
    /// How an XDP program sits on it, if one does.
    public let xdp: XDPMode?
    /// The id of that program, or 0.
    public let xdpProgram: UInt32
    /// The number of the bridge or bond that it belongs to, or 0.
    public let master: UInt32
    /// The other end of a veth.
    public let peer: Peer?

    /// Where the other end of a veth is.
    public struct Peer: Sendable, Equatable {
        /// Its number in its own namespace.
        public let index: UInt32
        /// That namespace as ours numbers it, or nil for ours.
        public let namespace: Int32?
    }

    /// Whether an operator (or a program) set it up.
    public var isUp: Bool { flags & UInt32(IFF_UP) != 0 }
    /// Whether it has a carrier and can pass frames.
    public var isRunning: Bool { flags & UInt32(IFF_RUNNING) != 0 }
    /// Whether it leads back to this host.
    public var isLoopback: Bool { flags & UInt32(IFF_LOOPBACK) != 0 }
    /// Whether it takes frames for any address.
    public var isPromiscuous: Bool { flags & UInt32(IFF_PROMISC) != 0 }

    /// Looks an interface up by its name.
    public init(named name: String) throws(LinkError) {
        var link = cxdp_link()
        let answer = unsafe cxdp_link_query(name, 0, -1, &link)
        if answer == -ENODEV || answer == -ENAMETOOLONG || name.isEmpty { throw .noPort(name: name) }
        try checked(answer, "asking for", name)
        self.init(link)
    }

    /// Looks an interface up by its number.
    public init(index: UInt32) throws(LinkError) {
        var link = cxdp_link()
        let answer = unsafe cxdp_link_query(nil, index, -1, &link)
        if answer == -ENODEV { throw .noPort(name: "number \(index)") }
        try checked(answer, "asking for", "port number \(index)")
        self.init(link)
    }

    /// A port as it was on another machine, written down: up, with a carrier, without XDP.
    package init(
        recorded name: String, index: UInt32, driver: String, kind: String = "", mtu: UInt32 = 1500, queues: UInt32 = 1,
        numaNode: Int32 = -1
    ) {
        (self.name, self.index, self.driver, self.kind, self.mtu) = (name, index, driver, kind, mtu)
        (receiveQueues, transmitQueues, self.numaNode) = (queues, queues, numaNode)
        (address, flags) = (MACAddress(bits: 0), UInt32(IFF_UP | IFF_RUNNING | IFF_PROMISC))
        (busAddress, xdp, xdpProgram, master, peer) = ("", nil, 0, 0, nil)
    }

    private init(_ link: cxdp_link) {
        let state = LinkState(link)
        name = state.name
        index = link.ifindex
        address = state.address
        mtu = link.mtu
        flags = link.flags
        kind = text(link.kind)
        xdp = XDPMode(kernel: link.xdp_mode)
        xdpProgram = link.xdp_program
        master = link.master
        let isPaired = kind == "veth" && link.peer_ifindex != 0
        peer = isPaired ? Peer(index: link.peer_ifindex, namespace: link.peer_namespace < 0 ? nil : link.peer_namespace) : nil
        (receiveQueues, transmitQueues) = Self.queues(of: name, allocated: (link.rx_queues, link.tx_queues))
        let (driver, bus) = Self.driver(of: name)
        self.driver = driver
        busAddress = bus
        numaNode = unsafe cxdp_node_of_device(bus)
    }

    /// What ethtool says is in use, or else what was allocated when the device was made.
    private static func queues(of name: String, allocated: (UInt32, UInt32)) -> (UInt32, UInt32) {
        var (receive, transmit) = (UInt32(0), UInt32(0))
        let answer = unsafe cxdp_interface_channels(name, &receive, &transmit)
        return answer == 0 && receive > 0 && transmit > 0 ? (receive, transmit) : allocated
    }

    private static func driver(of name: String) -> (driver: String, bus: String) {
        var driver = [CChar](repeating: 0, count: 32)
        var bus = driver
        // Both have the 32 bytes that the shim fills and terminates.
        let answer = unsafe cxdp_interface_driver(name, &driver, &bus)
        guard answer == 0 else { return ("", "") }
        return (text(driver), text(bus))
    }
}

/// How an XDP program runs on a port. Every report names it: a silent fallback would be a defect.
public enum XDPMode: String, Sendable {
    /// In the driver, before the kernel makes a packet of the frame.
    case native
    /// In the network stack, after it did: slow, for tests and for drivers that know no other way.
    case generic
    /// On the device itself.
    case offloaded

    init?(kernel: UInt32) {
        switch Int(kernel) {
        case CXDP_XDP_NATIVE: self = .native
        case CXDP_XDP_GENERIC: self = .generic
        case CXDP_XDP_OFFLOADED: self = .offloaded
        // Several at once: the native one is what meets the frame first.
        case CXDP_XDP_SEVERAL: self = .native
        default: return nil
        }
    }
}

/// The text in an array of C characters, up to its first zero.
func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The text in a fixed C character array, which Swift sees as a tuple, up to its first zero.
func text<Characters: BitwiseCopyable>(_ characters: Characters) -> String {
    // The bytes of a tuple of characters; no padding, and nothing kept beyond the closure.
    text(unsafe withUnsafeBytes(of: characters) { bytes in unsafe bytes.map { CChar(bitPattern: $0) } })
}

// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc
public import Net

/// What netlink says about one link.
public struct LinkState: Sendable, Equatable {
    /// Its name.
    public let name: String
    /// Its number.
    public let index: UInt32
    /// Its hardware address; 0 when it has none of six bytes.
    public let address: MACAddress
    /// Its MTU in bytes.
    public let mtu: UInt32
    /// Whether it was set up.
    public let isUp: Bool
    /// Whether it can pass frames: up, and with a carrier.
    public let isRunning: Bool

    init(_ link: cxdp_link) {
        name = text(link.name)
        index = link.ifindex
        mtu = link.mtu
        isUp = link.flags & UInt32(IFF_UP) != 0
        isRunning = link.flags & UInt32(IFF_RUNNING) != 0
        let octets = link.address
        let bytes = [octets.0, octets.1, octets.2, octets.3, octets.4, octets.5]
        address = MACAddress(bits: link.address_length == 6 ? bytes.reduce(0) { $0 << 8 | UInt64($1) } : 0)
    }
}

/// Something happened to a link.
public enum LinkEvent: Sendable, Equatable {
    /// It appeared or changed; the state is the one after the change.
    case present(LinkState)
    /// It is gone: deleted, or moved to another namespace.
    case deleted(LinkState)
    /// Messages were lost: look each port up again.
    case resync
}

/// Hears of links that go down, come up, vanish and appear, in the network namespace of the thread that made it. A deleted port
/// shows nowhere else: `poll` on its AF_XDP sockets stays silent for ever.
public final class LinkMonitor {
    /// One call of `events()` takes at most this many datagrams, so that a storm of messages cannot hold the caller.
    public static let datagramsPerCall = 256

    private let socket: FileDescriptor

    /// Starts to listen. Ask for the ports' present state after this, so that no change falls between.
    public init() throws(LinkError) {
        socket = FileDescriptor(owning: try checked(cxdp_links_open(), "listening for", "link changes"))
    }

    /// Readable when events wait. Owned by this object.
    public var fileDescriptor: Int32 { socket.number }

    /// Takes the events that wait, without blocking, oldest first. Lost messages appear as one `resync` at the end.
    public func events() throws(LinkError) -> [LinkEvent] {
        var events: [LinkEvent] = []
        var isIncomplete = false
        // A datagram of 32 KiB holds at most some fifty link messages; the shim reports more as lost.
        var links = [cxdp_link](repeating: cxdp_link(), count: 128)
        for _ in 0..<Self.datagramsPerCall {
            let count = unsafe cxdp_links_receive(socket.number, &links, UInt32(links.count))
            if count == -EAGAIN { break }
            if count == -ENOBUFS {
                isIncomplete = true
                continue
            }
            try checked(count, "reading", "link changes")
            for link in links[..<Int(count)] {
                let state = LinkState(link)
                events.append(link.event == UInt32(CXDP_LINK_DELETED) ? .deleted(state) : .present(state))
            }
        }
        if isIncomplete { events.append(.resync) }
        return events
    }
}

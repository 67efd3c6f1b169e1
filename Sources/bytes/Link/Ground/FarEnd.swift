// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// The other end of a veth port, as far as it can be seen from here. It may be in another network namespace: its name can then be
/// asked for over netlink, but its offloads only from inside, and only namespaces in /run/netns have a name to enter by.
public struct FarEnd: Sendable, Equatable {
    /// Its name, if it could be found out.
    public var name: String?
    /// The name of its network namespace; nil when it is ours or has none.
    public var namespace: String?
    /// Its MTU and transmit queues, if they could be found out.
    public var mtu, transmitQueues: UInt32?
    /// Offloads by whether they are on; nil when nobody could look.
    public var offloads: [Offload: Bool]?

    /// What to put before a command that is to run where it is.
    var commandPrefix: String {
        if let namespace { return "ip netns exec \(namespace) " }
        return offloads == nil ? "ip netns exec <its namespace> " : ""
    }

    /// Looks at the far end of a port; nil when the port has none.
    init?(of port: Interface) {
        guard let peer = port.peer else { return nil }
        guard let number = peer.namespace else {
            let end = try? Interface(index: peer.index)
            name = end?.name
            (mtu, transmitQueues) = (end?.mtu, end?.transmitQueues)
            offloads = end.map(Self.offloads)
            return
        }
        var link = cxdp_link()
        if unsafe cxdp_link_query(nil, peer.index, number, &link) == 0 {
            name = text(link.name)
            (mtu, transmitQueues) = (link.mtu, link.tx_queues)
        }
        var words = [CChar](repeating: 0, count: 256)
        let there = unsafe cxdp_named_namespace(number, &words)
        guard there >= 0 else { return }
        namespace = text(words)
        look(into: FileDescriptor(owning: there), at: peer.index)
    }

    private static func offloads(of end: Interface) -> [Offload: Bool] {
        var result: [Offload: Bool] = [:]
        for offload in Offload.allCases { result[offload] = end.offload(offload) }
        return result
    }

    /// Enters the namespace for the time of a few questions. Namespaces are the thread's, so no other thread notices.
    private mutating func look(into there: FileDescriptor, at index: UInt32) {
        try? NetworkNamespace(adopting: there).visit {
            let end = try Interface(index: index)
            (mtu, transmitQueues) = (end.mtu, end.transmitQueues)
            offloads = Self.offloads(of: end)
        }
    }
}

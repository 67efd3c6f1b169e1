// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// The other end of a veth port, as far as it can be seen from here. It may be in another network namespace: its name can then be
/// asked for over netlink, but its offloads only from inside. A namespace is entered by its name in /run/netns, or by a process in it.
public struct FarEnd: Sendable, Equatable {
    /// Its name, if it could be found out.
    public var name: String?
    /// The name of its network namespace; nil when it is ours or has none.
    public var namespace: String?
    /// A process in its network namespace, where that has no name.
    public var process: Int32?
    /// Its MTU, if it could be found out.
    public var mtu: UInt32?
    /// Transmit queues in use, if somebody could look.
    public var transmitQueues: UInt32?
    /// Offloads by whether they are on; nil when nobody could look.
    public var offloads: [Offload: Bool]?

    /// A command that is to run where it is.
    func remedy(_ command: String) -> Finding.Remedy {
        if let namespace { return .command("ip netns exec \(namespace) \(command)") }
        if let process { return .command("nsenter -t \(process) -n \(command)") }
        return offloads == nil ? .advice("in its network namespace: `\(command)`") : .command(command)
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
            mtu = link.mtu
        }
        var words = [CChar](repeating: 0, count: 256)
        var there = unsafe cxdp_named_namespace(number, &words)
        if there >= 0 {
            namespace = text(words)
        } else {
            var pid: Int32 = 0
            there = unsafe cxdp_inhabited_namespace(number, &pid)
            guard there >= 0 else { return }
            process = pid
        }
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

// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// The other end of a veth port, as far as it can be seen from here. It may be in another network namespace: its name can then be
/// asked for over netlink, but its offloads only from inside, and only namespaces in /run/netns have a name to enter by.
struct FarEnd {
    /// Its name, if it could be found out.
    let name: String?
    /// The name of its network namespace; nil when it is ours or has none.
    let namespace: String?
    /// Offloads by whether they are on; nil when nobody could look.
    let offloads: [Offload: Bool]?

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
            namespace = nil
            offloads = end.map(Self.offloads)
            return
        }
        var link = cxdp_link()
        name = unsafe cxdp_link_query(nil, peer.index, number, &link) == 0 ? text(link.name) : nil
        var words = [CChar](repeating: 0, count: 256)
        let there = unsafe cxdp_named_namespace(number, &words)
        guard there >= 0 else {
            (namespace, offloads) = (nil, nil)
            return
        }
        namespace = text(words)
        offloads = Self.look(into: FileDescriptor(owning: there), at: peer.index)
    }

    private static func offloads(of end: Interface) -> [Offload: Bool] {
        var result: [Offload: Bool] = [:]
        for offload in Offload.allCases { result[offload] = end.offload(offload) }
        return result
    }

    /// Enters the namespace for the time of a few questions. Namespaces are the thread's, so no other thread notices.
    private static func look(into there: FileDescriptor, at index: UInt32) -> [Offload: Bool]? {
        let home = unsafe open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        guard home >= 0 else { return nil }
        let here = FileDescriptor(owning: home)
        guard cxdp_enter_network_namespace(there.number) == 0 else { return nil }
        let seen = (try? Interface(index: index)).map(offloads)
        precondition(cxdp_enter_network_namespace(here.number) == 0, "a thread that was let into a namespace is let back")
        return seen
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// Pins outlive not only processes but namespaces: when one is deleted, its ports are, and what was pinned for them stays. No port of
/// that name comes back to find it, so somebody else has to.
extension BPFFileSystem {
    /// Removes the pins of ports that were deleted, in every network namespace, and of their pairs when none of a namespace's ports is
    /// left. Ports that live are not touched. Returns the number of ports whose pins went.
    @discardableResult
    public func sweep() -> Int {
        var removed = 0
        for namespace in entries(of: "\(root)/bulkhead") {
            let folder = "\(root)/bulkhead/\(namespace)"
            let ports = entries(of: "\(folder)/ports")
            let stale = ports.filter { isStale("\(folder)/ports/\($0)") }
            for port in stale { remove(RedirectProgram.pinNames, in: "\(folder)/ports/\(port)") }
            removed += stale.count
            // A namespace that has pairs and no ports yet belongs to a keeper that is just starting.
            guard !stale.isEmpty, stale.count == ports.count else { continue }
            for pair in entries(of: "\(folder)/pairs") { remove([ModeWord.pinName], in: "\(folder)/pairs/\(pair)") }
        }
        return removed
    }

    /// Whether a port's folder has a link whose port is gone. One without a link is being made, or is found by the next attach.
    private func isStale(_ folder: String) -> Bool {
        guard let found = try? pinned(at: "\(folder)/link") else { return false }
        var (ifindex, program) = (UInt32(0), UInt32(0))
        return unsafe cxdp_link_info(found.number, &ifindex, &program) == 0 && ifindex == 0
    }

    /// No pin's name has a dot in it (the kernel refuses it), so none is hidden.
    private func entries(of folder: String) -> [String] { Surroundings().names(in: folder) }
}

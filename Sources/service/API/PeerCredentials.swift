// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import NIOCore

/// Who connected to the unix socket, as the kernel wrote it down at that moment (unix(7)): what the process becomes later does not
/// matter.
struct PeerCredentials: Hashable, Sendable {
    /// Its number; 0 where it lies outside our process namespace.
    var process: Int32
    /// The effective user.
    var user: UInt32
    /// The effective group, and the others.
    var groups: Set<UInt32>

    /// `struct ucred`.
    private struct Written: Sendable {
        var process: Int32 = 0
        var user: UInt32 = .max
        var group: UInt32 = .max
    }

    /// Groups that are read; of a process in more of them only the effective one counts.
    private static let groupLimit = 1024
    private static let credentials = NIOBSDSocket.Option(rawValue: SO_PEERCRED)
    /// `SO_PEERGROUPS` (asm-generic/socket.h, Linux 4.13), which glibc 2.36 does not name everywhere.
    private static let peerGroups = NIOBSDSocket.Option(rawValue: 59)

    /// The credentials behind a channel; `nil` where it is no unix socket.
    init?(_ channel: any Channel) async {
        guard let socket = channel as? any SocketOptionProvider,
            let written: Written = try? await socket.unsafeGetSocketOption(level: .socket, name: Self.credentials).get(),
            written.user != .max
        else { return nil }
        (process, user, groups) = (written.process, written.user, [written.group])
        // The kernel fills as many as there are, and the rest stays zero: root's group counts where it is the effective one.
        let others: [1024 of UInt32]? = try? await socket.unsafeGetSocketOption(level: .socket, name: Self.peerGroups)
            .get()
        guard let others else { return }
        for index in others.indices where others[index] != 0 { groups.insert(others[index]) }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Glibc

/// The user and group that a process runs as, by number.
public struct Identity: Sendable, Equatable, CustomStringConvertible {
    /// The user's number.
    public var user: UInt32
    /// The group's number.
    public var group: UInt32

    /// Root, with root's group.
    public static let root = Identity(user: 0, group: 0)
    /// Nobody and nogroup, who own no file.
    public static let nobody = Identity(user: 65534, group: 65534)

    /// An identity by its numbers.
    public init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }

    /// The user of that name with the group that it has in the system's tables; `nil` when there is none.
    public init?(named name: String) {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: 16384)
        guard unsafe getpwnam_r(name, &entry, &room, room.count, &found) == 0, unsafe found != nil else { return nil }
        self.init(user: unsafe entry.pw_uid, group: unsafe entry.pw_gid)
    }

    /// `user:group`, as one process says it to another that it starts; `nil` for anything else.
    public init?(_ text: String) {
        let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map { UInt32($0) }
        guard numbers.count == 2, let user = numbers[0], let group = numbers[1], user != .max, group != .max else { return nil }
        self.init(user: user, group: group)
    }

    /// `user:group`.
    public var description: String { "\(user):\(group)" }

    /// The number of the group of that name; `nil` when there is none.
    public static func group(named name: String) -> UInt32? {
        var entry = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var room = [CChar](repeating: 0, count: 65536)
        guard unsafe getgrnam_r(name, &entry, &room, room.count, &found) == 0, unsafe found != nil else { return nil }
        return unsafe entry.gr_gid
    }

    /// The groups beside its own that the system's tables give the user, ascending: none for root and for a user without a name, and
    /// never root's group.
    public var otherGroups: [UInt32] {
        guard user != 0, let name = Self.knownName(of: user) else { return [] }
        var groups = [UInt32](repeating: 0, count: 64)
        var count = Int32(groups.count)
        if unsafe getgrouplist(name, group, &groups, &count) < 0 {
            // There are more, and the count says how many.
            groups = [UInt32](repeating: 0, count: Int(count))
            guard unsafe getgrouplist(name, group, &groups, &count) >= 0 else { return [] }
        }
        return Set(groups.prefix(Int(count))).subtracting([0, group]).sorted()
    }

    private static func knownName(of user: UInt32) -> String? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: 16384)
        guard unsafe getpwuid_r(user, &entry, &room, room.count, &found) == 0, unsafe found != nil else { return nil }
        // The entry's name lies in `room`, which lives until the end.
        return unsafe String(cString: entry.pw_name)
    }
}

/// What a process gives up for good, before it has a second thread: these are the calling thread's, and those of threads that it
/// starts.
public enum Privileges {
    /// What keeper needs once everything is set up, and nothing else: ports and their programs that come back, sockets for them,
    /// and the processes that it starts, watches and ends. The numbers of CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_NET_ADMIN,
    /// CAP_NET_RAW, CAP_BPF.
    public static let keepersCapabilities: [UInt64] = [5, 6, 7, 12, 13, 39]

    /// Gives up every capability, and the way to get one back (no_new_privs), and becomes the identity; `nil` leaves user and
    /// groups as they are, for who is not root. Of other groups than the identity's it has afterwards those given, and not one that
    /// it had.
    public static func drop(to identity: Identity?, groups: [UInt32] = []) throws(SandboxError) {
        let result = unsafe cxdp_drop_privileges(
            identity?.user ?? 0, identity?.group ?? 0, groups, UInt32(groups.count), identity == nil)
        guard result == 0 else { throw .refused("to take a process's privileges", errno: -result) }
    }

    /// Keeps of all capabilities those that keeper needs, as far as it holds them; `pinningMemory` where packet memory can be
    /// pinned by CAP_IPC_LOCK alone.
    public static func keepKeepers(pinningMemory: Bool = false) throws(SandboxError) {
        let kept = keepersCapabilities + (pinningMemory ? [14] : [])
        let result = cxdp_keep_capabilities(kept.reduce(0) { $0 | 1 << $1 })
        guard result == 0 else { throw .refused("to take keeper's capabilities", errno: -result) }
    }

    /// No core file, and nobody but root reads this process's memory or traces it.
    public static func forbidDumps() throws(SandboxError) {
        let result = cxdp_forbid_dumps()
        guard result == 0 else { throw .refused("to forbid memory dumps", errno: -result) }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import Glibc
internal import Synchronization

/// The roles in force, and the numbers of the users and groups that they name. Names are looked up beside the requests, at a change
/// and every minute: a directory that hangs keeps nobody waiting, and a user that is made later gets the role without a reload.
final class RoleBook: Sendable {
    /// How often names are looked up again.
    static let interval = Duration.seconds(60)

    private let roles: Mutex<Roles>
    private let names = Mutex<[UInt32: String]>([:])

    /// Roles as the configuration says, `nil` where it does not; no name is looked up yet.
    init(_ bindings: [RoleBinding]?) { roles = Mutex(Roles(bindings: bindings, own: geteuid())) }

    /// The roles now.
    var current: Roles { roles.withLock { $0 } }

    /// Puts other bindings into force, for connections that are open too. Names that are new have an effect once they are found.
    func replace(_ bindings: [RoleBinding]?) {
        let isNew = roles.withLock { roles in
            defer { roles.bindings = bindings }
            return roles.bindings != bindings
        }
        // A directory that hangs must not hold up whoever changes something.
        if isNew { Task { await resolve() } }
    }

    /// Looks up all names, on a thread of its own.
    func resolve() async {
        let bindings = current.bindings ?? []
        let (users, groups) = (
            bindings.reduce(into: Set()) { $0.formUnion($1.users) }, bindings.reduce(into: Set()) { $0.formUnion($1.groups) }
        )
        let numbers = await Self.aside { Numbers(users: Accounts.users(users), groups: Accounts.groups(groups)) }
        roles.withLock { $0.numbers = numbers }
        names.withLock { $0 = [:] }
    }

    /// A user's name, or the number where there is none.
    func name(ofUser user: UInt32) async -> String {
        if let known = names.withLock({ $0[user] }) { return known }
        let name = await Self.aside { Accounts.name(ofUser: user) } ?? String(user)
        // Callers are few, and the table is emptied every minute.
        names.withLock { if $0.count < 1024 { $0[user] = name } }
        return name
    }

    /// Does what may take long on a thread that nobody waits for.
    static func aside<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { done in DispatchQueue.global().async { done.resume(returning: work()) } }
    }
}

/// The machine's users and groups; each call may take as long as the machine's directory takes.
enum Accounts {
    private static let room = 1 << 16

    /// Numbers of users by their names; those that there are.
    static func users(_ names: Set<String>) -> [String: UInt32] {
        var numbers: [String: UInt32] = [:]
        for name in names { numbers[name] = user(name) }
        return numbers
    }

    /// Numbers of groups by their names; those that there are.
    static func groups(_ names: Set<String>) -> [String: UInt32] {
        var numbers: [String: UInt32] = [:]
        for name in names { numbers[name] = group(name) }
        return numbers
    }

    /// A group's number.
    static func group(_ name: String) -> UInt32? {
        var (entry, found): (Glibc.group, UnsafeMutablePointer<Glibc.group>?) = unsafe (Glibc.group(), nil)
        var buffer = [CChar](repeating: 0, count: room)
        guard unsafe getgrnam_r(name, &entry, &buffer, room, &found) == 0, unsafe found != nil else { return nil }
        return unsafe entry.gr_gid
    }

    /// A user's name.
    static func name(ofUser number: UInt32) -> String? {
        var (entry, found): (passwd, UnsafeMutablePointer<passwd>?) = unsafe (passwd(), nil)
        var buffer = [CChar](repeating: 0, count: room)
        guard unsafe getpwuid_r(number, &entry, &buffer, room, &found) == 0, unsafe found != nil, let name = unsafe entry.pw_name
        else { return nil }
        return unsafe String(cString: name)
    }

    private static func user(_ name: String) -> UInt32? {
        var (entry, found): (passwd, UnsafeMutablePointer<passwd>?) = unsafe (passwd(), nil)
        var buffer = [CChar](repeating: 0, count: room)
        guard unsafe getpwnam_r(name, &entry, &buffer, room, &found) == 0, unsafe found != nil else { return nil }
        return unsafe entry.pw_uid
    }
}

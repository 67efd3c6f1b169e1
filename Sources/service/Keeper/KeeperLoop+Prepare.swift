// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Link
internal import Logging
internal import Sandbox

// Who the processes are. Keeper starts them as root, because only root may become somebody else, and each gives that up before it
// does anything. Which users there are to become is the machine's affair (`bulkhead-data`, `bulkhead`) or the configuration's;
// keeper does not read that, so a first control, which holds no privilege either, reads it and says the numbers. They count once:
// whoever takes control over later cannot name other users or folders, and keeper has given the right to change owners up by then.

/// The users that the processes run as.
struct Identities: Equatable {
    /// Users of these names are taken where the machine has them.
    static let (dataName, controlName) = ("bulkhead-data", "bulkhead")

    var data = Identity.nobody
    var control = Identity.root

    /// Those of the machine. Without a user of its own control stays root, without any capability: it must read the configuration.
    /// Where at least the group is there, its members may ask over the socket.
    static func usual() -> Identities {
        Identities(
            data: Identity(named: dataName) ?? .nobody,
            control: Identity(named: controlName) ?? Identity(user: 0, group: Identity.group(named: controlName) ?? 0))
    }

    /// These, but for those that orders name.
    func changed(by orders: Plan) -> Identities {
        var result = self
        if orders.dataUser != 0 { result.data = Identity(user: orders.dataUser, group: orders.dataGroup) }
        if orders.controlUser != 0 { result.control = Identity(user: orders.controlUser, group: orders.controlGroup) }
        return result
    }
}

extension KeeperLoop {
    /// What stands on the command line of the control process.
    var controlArguments: [String] {
        let identity = getuid() == 0 ? ["--identity", identities.control.description] : []
        return ["control", "--config", configuration] + identity
    }

    /// What stands on the command line of a data process.
    var dataArguments: [String] {
        let identity = getuid() == 0 ? identities.data : Identity(user: getuid(), group: getgid())
        return ["data", "--identity", identity.description, "--sandbox", sandbox.word]
    }

    /// Control has read its configuration. The first time, folders are made, and another control is started where this one runs as
    /// somebody else than it should.
    func prepare(_ orders: Plan) throws {
        if let fault = orders.fault { throw KeeperError.orders(fault) }
        place(orders)
        guard folder == nil else {
            let isShared = orders.sharesProcessors == 1
            if identities.changed(by: orders) != identities || orders.sandbox != UInt32(sandbox.rawValue)
                || isShared != placement?.isShared
            {
                log.warning(
                    "users, sandbox or processors of the configuration have changed: they act after a restart of bulkhead")
            }
            return tellPrepared()
        }
        sandbox = SandboxMode(rawValue: UInt8(truncatingIfNeeded: orders.sandbox)) ?? .enforce
        let wanted = identities.changed(by: orders)
        if wanted != identities, wanted.control != identities.control, getuid() == 0 {
            identities = wanted
            control?.kill()
            return try startControl()
        }
        identities = wanted
        guard let run = orders.runFolderPath else { throw KeeperError.orders("no run folder") }
        let owner = getuid() == 0 ? identities.control : .root
        folder = try RunFolder(run, control: owner)
        if let state = orders.stateFolderPath { try Folders.give(state, to: owner) }
        if getuid() == 0, identities.control.user == 0 {
            log.warning(
                "there is no user \"\(Identities.controlName)\": control runs as root without capabilities (make one with useradd)"
            )
        }
        tellPrepared()
    }

    /// Gives up what only the start has needed: of all capabilities six remain, and of all system calls not those that lead into
    /// other processes or into the kernel.
    func confine() throws {
        // Where the limit of pinned memory could not be lifted, a data process that is started again would have no packet memory.
        let isLimited = !PinnedMemory.isUnlimited
        if isLimited {
            log.notice("RLIMIT_MEMLOCK cannot be lifted: keeper keeps CAP_IPC_LOCK (LimitMEMLOCK=infinity does without)")
        }
        try Privileges.keepKeepers(pinningMemory: isLimited)
        try SystemCallFilter.keeper.install(sandbox)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Sandbox

@Suite("Identities") struct IdentityTests {
    @Test func `are said as two numbers, and nothing else is one`() {
        #expect(Identity("994:995") == Identity(user: 994, group: 995))
        #expect(Identity(user: 994, group: 995).description == "994:995")
        for text in ["", ":", "1", "1:", ":1", "1:2:3", "-1:2", "a:b", "4294967295:1", "1:4294967295", "4294967296:1", " 1:2"] {
            #expect(Identity(text) == nil, "\(text)")
        }
    }

    @Test func `are found by name, where the machine knows it`() {
        #expect(Identity(named: "root") == .root)
        #expect(Identity(named: "no-such-user-here") == nil)
        #expect(Identity.group(named: "root") == 0)
        #expect(Identity.group(named: "no-such-group-here") == nil)
    }

    @Test(.enabled(if: getuid() == 0, "needs root: a user to give up"))
    func `once taken leave no capability, no other group and no way back`() async {
        await #expect(processExitsWith: .success) {
            guard (try? Privileges.drop(to: .nobody)) != nil else { _exit(1) }
            guard getuid() == 65534, getegid() == 65534, getgroups(0, nil) == 0, setuid(0) != 0 else { _exit(2) }
            _exit(0)
        }
    }

    @Test(.enabled(if: getuid() == 0, "needs root: a user to give up"))
    func `once taken have the groups given, so that a file goes to one of them and to no other`() async {
        await #expect(processExitsWith: .success) {
            guard (try? Privileges.drop(to: .nobody, groups: [4_000_000_001])) != nil else { _exit(1) }
            var groups: [gid_t] = [0, 0]
            guard unsafe getgroups(2, &groups) == 1, groups[0] == 4_000_000_001 else { _exit(2) }
            let path = "/tmp/bulkhead-groups-\(getpid())"
            close(unsafe open(path, O_WRONLY | O_CREAT | O_EXCL, 0o660))
            let isGiven = unsafe chown(path, .max, 4_000_000_001) == 0
            let isGivenToOther = unsafe chown(path, .max, 4_000_000_002) == 0
            unsafe unlink(path)
            _exit(isGiven && !isGivenToOther ? 0 : 3)
        }
    }

    @Test func `have the other groups that the machine's tables name, and never root's`() throws {
        #expect(Identity.root.otherGroups.isEmpty)
        #expect(Identity(user: 4_000_000_001, group: 1).otherGroups.isEmpty)
        // Root's group stays out even where it is the user's own.
        let nobody = try #require(Identity(named: "nobody"))
        #expect(!Identity(user: nobody.user, group: 0).otherGroups.contains(0))
        for line in try String(contentsOfFile: "/etc/group", encoding: .utf8).split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 4, let group = UInt32(fields[2]), group != 0 else { continue }
            for name in fields[3].split(separator: ",") {
                guard let identity = Identity(named: String(name)), identity.user != 0, identity.group != group else { continue }
                #expect(identity.otherGroups.contains(group), "\(name) of \(group)")
            }
        }
    }

    @Test(.enabled(if: getuid() == 0, "needs root: capabilities to give up"))
    func `of keeper keep six capabilities, and its children get no other`() async throws {
        let kept = Privileges.keepersCapabilities.reduce(UInt64(0)) { $0 | 1 << $1 }
        #expect(kept == 0x80_0000_30e0)
        await #expect(processExitsWith: .success) {
            guard (try? Privileges.keepKeepers()) != nil else { _exit(1) }
            for line in Self.status() where line.hasPrefix("CapPrm") || line.hasPrefix("CapEff") || line.hasPrefix("CapBnd") {
                guard line.hasSuffix("00000080000030e0") else { _exit(2) }
            }
            for line in Self.status() where line.hasPrefix("CapInh") || line.hasPrefix("CapAmb") {
                guard line.hasSuffix("0000000000000000") else { _exit(3) }
            }
            guard Self.status().contains("NoNewPrivs:\t1") else { _exit(4) }
            // What keeper starts must still be able to become somebody else, without the right to touch the bounding set.
            guard (try? Privileges.drop(to: .nobody)) != nil, getuid() == 65534 else { _exit(5) }
            _exit(0)
        }
    }

    @Test func `that forbid dumps have no core file and cannot be read by others`() async {
        await #expect(processExitsWith: .success) {
            guard (try? Privileges.forbidDumps()) != nil else { _exit(1) }
            var limit = rlimit()
            guard unsafe getrlimit(__rlimit_resource_t(4), &limit) == 0, limit.rlim_cur == 0, limit.rlim_max == 0 else {
                _exit(2)
            }
            _exit(0)
        }
    }

    /// This thread's status, as the kernel shows it.
    private static func status() -> [Substring] {
        let file = unsafe open("/proc/thread-self/status", O_RDONLY)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = unsafe read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
    }
}

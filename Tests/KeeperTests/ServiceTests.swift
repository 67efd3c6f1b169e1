// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Layout
import Sandbox
import TestSupport
import Testing

@testable import Keeper

@Suite struct `The service manager` {
    /// A socket as a service manager listens on, and what it hears.
    private func listener() throws -> (path: String, socket: Int32) {
        let path = "/tmp/bulkhead-notice-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        return (path, socket)
    }

    private func heard(_ socket: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe read(socket, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    @Test func `hears what is told, at the socket that the environment names`() throws {
        let (path, socket) = try listener()
        defer {
            close(socket)
            unsafe unlink(path)
        }
        let service = ServiceNotice { ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"][$0] }
        #expect(service.watchdog == 2_000_000_000)
        service.tell("READY=1\nSTATUS=policy is in force")
        #expect(heard(socket) == "READY=1\nSTATUS=policy is in force")
        #expect(heard(socket) == nil)
    }

    @Test func `that is not there, or not this process's, is told nothing and wants no sign of life`() {
        let none = ServiceNotice { _ in nil }
        #expect(none.watchdog == 0)
        none.tell("READY=1")
        let others = ServiceNotice { ["NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"][$0] }
        #expect(others.watchdog == 0)
        for socket in ["", "relative", "/" + String(repeating: "x", count: 108)] {
            #expect(ServiceNotice { ["NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "1"][$0] }.watchdog == 0)
        }
    }

    private static let analyser = "/usr/bin/systemd-analyze"

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: analyser), "needs systemd-analyze (package systemd)"))
    func `finds nothing wrong in the unit, and less than 4 points of exposure`() throws {
        let package = URL(filePath: #filePath).appending(path: "../../..").standardized
        let unit = try String(contentsOf: package.appending(path: "packaging/bulkhead.service"), encoding: .utf8)
        // The binary and the manual page are not installed here.
        let here = unit.replacingOccurrences(of: "/usr/bin/bulkhead", with: "/bin/true").split(separator: "\n")
            .filter { !$0.hasPrefix("Documentation=") }.joined(separator: "\n")
        let folder = FileManager.default.temporaryDirectory.appending(path: "bulkhead-unit-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "bulkhead.service")
        try here.write(to: file, atomically: true, encoding: .utf8)
        for arguments in [["verify", file.path], ["security", "--offline=true", "--threshold=40", file.path]] {
            let tool = try Tool.run(Self.analyser, arguments)
            #expect(tool.code == 0, "\(arguments): \(tool.output)\(tool.errors)")
        }
    }
}

@Suite struct `Folders of others` {
    private func makePath() -> String { "/tmp/bulkhead-folders-\(getpid())-\(UInt32.random(in: 0 ... .max))" }

    private func facts(_ path: String) -> stat {
        var facts = stat()
        unsafe lstat(path, &facts)
        return facts
    }

    @Test(.enabled(if: getuid() == 0, "needs root: owners to change"))
    func `the run folder is shared with control, and keeper's own in it is not`() throws {
        let path = makePath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = try RunFolder(path, control: Identity(user: 1, group: 1))
        #expect(facts(path).st_uid == 0 && facts(path).st_gid == 1 && facts(path).st_mode & 0o7777 == 0o1775)
        #expect(facts(folder.keepersPath).st_uid == 0 && facts(folder.keepersPath).st_mode & 0o777 == 0o700)
        unsafe chmod(folder.keepersPath, 0o777)
        #expect(throws: KeeperError.self) { try RunFolder(path) }
        unsafe chmod(folder.keepersPath, 0o700)
        unsafe chown(folder.keepersPath, 1, 1)
        #expect(throws: KeeperError.self) { try RunFolder(path) }
    }

    @Test(.enabled(if: getuid() == 0, "needs root: owners to change"))
    func `keeper's own folder is still there behind an orderly stop, empty, so that control cannot take its name`() throws {
        let path = makePath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let control = Identity(user: 65534, group: 65534)
        let folder = try RunFolder(path, control: control)
        #expect(try folder.acquire(milliseconds: 0))
        folder.release()
        folder.clear()
        #expect(facts(folder.keepersPath).st_uid == 0 && facts(folder.keepersPath).st_mode & 0o777 == 0o700)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.keepersPath).isEmpty)
        #expect(try RunFolder(path, control: control).acquire(milliseconds: 0))
    }

    @Test(.enabled(if: getuid() == 0, "needs root: owners to change"))
    func `the state folder goes over to control with root's plain files, and with nothing else in it`() throws {
        let path = makePath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let control = Identity(user: 1, group: 1)
        try Folders.give(path, to: .root)
        #expect(facts(path).st_uid == 0)
        close(unsafe open(path + "/state.db", O_WRONLY | O_CREAT, 0o600))
        unsafe symlink("/etc/passwd", path + "/link")
        #expect(throws: KeeperError.self) { try Folders.give(path, to: control) }
        #expect(facts(path + "/state.db").st_uid == 0 && facts("/etc/passwd").st_uid == 0)
        unsafe unlink(path + "/link")
        try Folders.give(path, to: control)
        #expect(facts(path).st_uid == 1 && facts(path + "/state.db").st_uid == 1)
        // Control's own by now: what it puts there stays its business.
        unsafe symlink("/etc/passwd", path + "/link")
        try Folders.give(path, to: control)
        #expect(facts("/etc/passwd").st_uid == 0)
    }

    @Test(.enabled(if: getuid() == 0, "needs root: owners to change"))
    func `a state folder that is no folder, or holds what control did not write, is refused and stays root's`() throws {
        let path = makePath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let control = Identity(user: 1, group: 1)
        close(unsafe open(path, O_WRONLY | O_CREAT, 0o600))
        #expect(throws: KeeperError.self) { try Folders.give(path, to: control) }
        #expect(facts(path).st_uid == 0)
        unsafe unlink(path)
        unsafe mkdir(path, 0o750)
        for name in ["state.db", "rules"] { close(unsafe open("\(path)/\(name)", O_WRONLY | O_CREAT, 0o600)) }
        let error = #expect(throws: KeeperError.self) { try Folders.give(path, to: control) }
        #expect(error?.description.contains("\"rules\"") == true)
        #expect(facts(path).st_uid == 0 && facts(path + "/state.db").st_uid == 0 && facts(path + "/rules").st_uid == 0)
    }

    @Test(.enabled(if: getuid() == 0, "needs root: owners to change"), arguments: [mode_t(0o770), 0o707, 0o1777])
    func `a state folder of root's in which others may write is refused`(mode: mode_t) throws {
        let path = makePath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        unsafe mkdir(path, 0o700)
        unsafe chmod(path, mode)
        #expect(throws: KeeperError.self) { try Folders.give(path, to: Identity(user: 1, group: 1)) }
        #expect(facts(path).st_uid == 0)
    }

    @Test(.enabled(if: getuid() == 0, "needs root: owners to change"))
    func `a state folder whose handing over was cut short goes over the next time, and a link to one is left alone`() throws {
        let path = makePath()
        defer { for path in [path, path + "-link"] { try? FileManager.default.removeItem(atPath: path) } }
        let control = Identity(user: 1, group: 1)
        unsafe mkdir(path, 0o750)
        unsafe symlink(path, path + "-link")
        try Folders.give(path + "-link", to: control)
        #expect(facts(path).st_uid == 0 && facts(path + "-link").st_uid == 0)
        for name in ["state.db", "clock"] { close(unsafe open("\(path)/\(name)", O_WRONLY | O_CREAT, 0o600)) }
        unsafe chown(path + "/clock", 1, 1)
        try Folders.give(path, to: control)
        #expect([path, path + "/state.db", path + "/clock"].allSatisfy { facts($0).st_uid == 1 })
    }

    // Their owner is put there again should one go over.
    @Test(
        .enabled(if: getuid() == 0, "needs root: owners to change"),
        arguments: ["/", "/etc", "/etc/", "/usr/../etc", "/usr", "/var", "/var/lib", "/home", "/root", "/run"])
    func `a folder of the system's is neither given away nor shared`(path: String) throws {
        let before = facts(path)
        defer {
            unsafe chown(path, before.st_uid, before.st_gid)
            unsafe chmod(path, before.st_mode & 0o7777)
        }
        let control = Identity(user: 1, group: 1)
        #expect(throws: KeeperError.self) { try Folders.give(path, to: control) }
        #expect(throws: KeeperError.self) { try Folders.share(path, with: control, isNew: false) }
        let after = facts(path)
        #expect(after.st_uid == before.st_uid && after.st_gid == before.st_gid && after.st_mode == before.st_mode)
    }

    @Test(arguments: [
        ("state.db", true), ("state.db-journal", true), ("state.db.damaged-20260102T030405Z", true), ("audit.key", true),
        ("audit.head.new", true), ("audit-1-10000.jsonl", true), ("audit-1-10000.jsonl.new", true), ("flows.db", true),
        ("flows.db.damaged", true), ("clock", true), ("steady", true), ("shadow", true), ("passwd", false), ("README", false),
        ("audit-rules", false), ("clock.d", false), ("lost+found", false),
    ])
    func `what control writes is told from other files by its name`(name: String, isState: Bool) {
        #expect(Folders.isState(name) == isState)
    }

    @Test func `a bypass is written down for the next keeper of this run of the machine`() throws {
        let path = makePath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = try RunFolder(path)
        #expect(folder.notedBypass() == nil)
        #expect(folder.note(bypassUntil: 7_000_000_000))
        #expect(folder.notedBypass() == 7_000_000_000)
        try "another-boot 7\n".write(toFile: folder.keepersPath + "/bypass", atomically: false, encoding: .utf8)
        #expect(folder.notedBypass() == nil)
        #expect(folder.note(bypassUntil: 5))
        #expect(folder.note(bypassUntil: 0))
        #expect(folder.notedBypass() == nil && !FileManager.default.fileExists(atPath: folder.keepersPath + "/bypass"))
    }
}

@Suite struct `Users` {
    @Test func `of the orders take the place of the machine's, each by itself`() {
        let usual = Identities()
        #expect(usual.data == .nobody && usual.control == .root)
        var orders = Plan()
        #expect(usual.changed(by: orders) == usual)
        (orders.dataUser, orders.dataGroup) = (7, 8)
        #expect(usual.changed(by: orders) == Identities(data: Identity(user: 7, group: 8), control: .root))
        (orders.controlUser, orders.controlGroup) = (9, 10)
        #expect(usual.changed(by: orders).control == Identity(user: 9, group: 10))
    }
}

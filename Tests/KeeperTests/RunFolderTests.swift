// SPDX-License-Identifier: Apache-2.0
import Glibc
import Layout
import Testing

@testable import Keeper

@Suite struct `The run folder` {
    /// A folder of its own for each test, removed by the caller.
    private func makePath() -> String {
        let number = UInt32.random(in: 0 ... .max)
        return "/tmp/bulkhead-keeper-tests-\(getpid())-\(number)/run"
    }

    private func remove(_ path: String) {
        for name in ["keeper.lock", "keeper.sock", "data.sock", "data.pid", "ports", "bypass"] {
            unsafe unlink("\(path)/keeper/\(name)")
        }
        unsafe rmdir("\(path)/keeper")
        unsafe rmdir(path)
        unsafe rmdir(String(path.dropLast(4)))
    }

    @Test func `is held by one keeper at a time, and free again when it lets go`() throws {
        let path = makePath()
        defer { remove(path) }
        let first = try RunFolder(path)
        let second = try RunFolder(path)
        #expect(try first.acquire(milliseconds: 0))
        #expect(try second.acquire(milliseconds: 20) == false)
        first.release()
        #expect(try second.acquire(milliseconds: 20))
    }

    @Test func `tells which process is the data process, and takes no later one with its number for it`() throws {
        let path = makePath()
        defer { remove(path) }
        let folder = try RunFolder(path)
        #expect(folder.notedData() == nil)
        #expect(folder.note(data: getpid()))
        #expect(folder.notedData()?.pid == getpid())
        let file = unsafe open("\(path)/keeper/data.pid", O_WRONLY | O_TRUNC)
        let line = Array("\(getpid()) 1\n".utf8)
        #expect(unsafe write(file, line, line.count) == line.count)
        close(file)
        #expect(folder.notedData() == nil)
    }

    @Test func `tells what was changed about a port, and of no other port of that name`() throws {
        let path = makePath()
        defer { remove(path) }
        let folder = try RunFolder(path)
        var port = PortPlan()
        port.name = FixedName("left") ?? FixedName()
        port.index = 7
        #expect(folder.notedPort(port) == nil)
        #expect(folder.note([(port, PortNote(isTakenDown: true, wasPromiscuous: false))]))
        #expect(folder.notedPort(port) == PortNote(isTakenDown: true, wasPromiscuous: false))
        #expect(folder.note([(port, PortNote(isTakenDown: false, wasPromiscuous: true))]))
        #expect(folder.notedPort(port) == PortNote(isTakenDown: false, wasPromiscuous: true))
        port.index = 8
        #expect(folder.notedPort(port) == nil)
        // What was written before the machine was started anew is of another port too.
        let file = unsafe open("\(path)/keeper/ports", O_WRONLY | O_TRUNC)
        let text = Array("another boot\nleft 8 1 1\n".utf8)
        #expect(unsafe write(file, text, text.count) == text.count)
        close(file)
        #expect(folder.notedPort(port) == nil)
    }

    @Test func `has listeners that nobody waits at, because two processes may share one`() throws {
        let path = makePath()
        defer { remove(path) }
        let listener = try RunFolder(path).listen("data.sock")
        defer { close(listener) }
        #expect(accept(listener, nil, nil) == -1 && errno == EAGAIN)
    }

    @Test func `leads to whoever listens, with the caller's credentials, and to nobody else`() throws {
        let path = makePath()
        defer { remove(path) }
        let folder = try RunFolder(path)
        #expect(folder.connect("data.sock") == nil)
        let listener = try folder.listen("data.sock")
        defer { close(listener) }
        let caller = try #require(folder.connect("data.sock"))
        let connection = accept(listener, nil, nil)
        let server = Channel(adopting: connection)
        #expect(server.peer?.pid == getpid())
        #expect(server.peer?.uid == getuid())
        try caller.send(Message(.fetch, 7))
        let (message, descriptors) = try server.receive()
        #expect(message.kind == .fetch)
        #expect(message.arguments[0] == 7)
        #expect(descriptors.isEmpty)
    }

    @Test func `has sockets that only their owner may open`() throws {
        let path = makePath()
        defer { remove(path) }
        let folder = try RunFolder(path)
        let listener = try folder.listen("data.sock")
        defer { close(listener) }
        var facts = stat()
        #expect(unsafe stat("\(path)/keeper/data.sock", &facts) == 0)
        #expect(facts.st_mode & 0o777 == 0o600)
    }

    @Test func `that cannot be made is an error that names the part and the remedy`() throws {
        let error = #expect(throws: KeeperError.self) { try RunFolder("/proc/bulkhead/run") }
        #expect(error?.description.contains("/proc/bulkhead") == true)
        #expect(error?.description.contains("`run` in the configuration") == true)
    }
}

@Suite struct `Orders` {
    private func plan(_ change: (inout Plan) -> Void = { _ in }) -> Plan {
        var plan = Plan()
        plan.pairCount = 1
        plan.runFolderPath = "/run/bulkhead"
        plan.pairs[0].name = FixedName("wire")!
        plan.pairs[0].ports[0].name = FixedName("p0")!
        plan.pairs[0].ports[1].name = FixedName("p1")!
        change(&plan)
        return plan
    }

    @Test func `mean the same machine whatever keeper has found out beside them`() {
        let keeper = KeeperLoop(configuration: "none", takeOver: false)
        let found = plan {
            $0.pairs[0].queues = 4
            $0.pairs[0].frameSize = 2048
            $0.pairs[0].ports[0].index = 17
            $0.pairs[0].ports[1].isNative = 1
        }
        #expect(plan().fault == nil)
        #expect(keeper.isSame(found, plan()))
    }

    @Test(arguments: 0..<6)
    func `mean another machine when a port, a mode or a capacity differs`(which: Int) {
        let keeper = KeeperLoop(configuration: "none", takeOver: false)
        let other = plan {
            switch which {
            case 0: $0.pairs[0].ports[1].name = FixedName("p2")!
            case 1: $0.pairs[0].fail = 1
            case 2: $0.flowCapacity = 1 << 20
            case 3: $0.pairs[0].poll = PairPlan.Poll.busy.rawValue
            case 4: $0.pairs[0].copy = PairPlan.Copy.copy.rawValue
            default: $0.pairs[0].name = FixedName("other")!
            }
        }
        #expect(!keeper.isSame(other, plan()))
    }
}

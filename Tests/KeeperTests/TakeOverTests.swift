// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Layout
import TestSupport
import Testing

@testable import Keeper

/// A keeper between two data processes, which are sleepers here.
@Suite struct `A take-over that fails half-way` {
    let keeper = KeeperLoop(configuration: "/dev/null", takeOver: true)
    let former: Channel
    let formerPid: Int32
    let nextPid: Int32

    init() throws {
        let (toFormer, former) = try Channel.pair()
        let (toNext, _) = try Channel.pair()
        self.former = former
        (formerPid, nextPid) = (try Self.sleeper(), try Self.sleeper())
        keeper.formerData = (try ChildProcess(watching: formerPid), toFormer)
        (keeper.data, keeper.dataChannel) = (try ChildProcess(watching: nextPid), toNext)
        keeper.isReady = true
    }

    private static func sleeper() throws -> Int32 {
        var pid: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe ["sleep", "60"].map { (word: String) in unsafe strdup(word) }
        unsafe arguments.append(nil)
        defer { unsafe arguments.forEach { unsafe free($0) } }
        try #require(unsafe posix_spawnp(&pid, "sleep", nil, nil, &arguments, nil) == 0)
        return pid
    }

    private func end() {
        for pid in [formerPid, nextPid] {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    @Test func `goes on with the process that ran before, and offers it what the new one has not answered`() throws {
        defer { end() }
        let descriptors = [unsafe open("/dev/null", O_RDONLY), unsafe open("/dev/null", O_RDONLY)]
        keeper.publish(descriptors, generation: 7, epoch: 7)
        kill(nextPid, SIGKILL)
        try keeper.dataEnded(isHang: false)
        #expect(keeper.data?.pid == formerPid && keeper.formerData == nil)
        #expect(keeper.areWorkersRunning)
        let offered = try former.receive()
        #expect(offered.message.kind == .publish && offered.message.arguments[0] == 7)
        for descriptor in offered.descriptors { close(descriptor) }
        try former.send(Message(.inForce, 7))
        try keeper.hearData()
        #expect(keeper.publication?.generation == 7)
    }

    @Test func `ends the process that ran before when that was asked to park already`() throws {
        defer { end() }
        // Nothing can be started here: the next try comes later.
        (keeper.wasFormerParked, keeper.quickEnds, keeper.lastDataStart) = (true, 1, keeper.now())
        try keeper.dataEnded(isHang: false)
        #expect(keeper.data == nil && keeper.formerData == nil && !keeper.areWorkersRunning)
        #expect(keeper.dataRetryAt != nil)
        // Ended and buried.
        for pid in [formerPid, nextPid] { #expect(kill(pid, 0) == -1 && errno == ESRCH) }
    }

    @Test func `does not begin where keeper cannot write down which process is data`() throws {
        defer { end() }
        let path = "/tmp/bulkhead-keeper-tests-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = try RunFolder(path)
        keeper.folder = folder
        #expect(keeper.canBeFollowed())
        #expect(folder.notedData()?.pid == nextPid)
        try FileManager.default.removeItem(atPath: folder.keepersPath)
        #expect(!keeper.canBeFollowed())
    }

    @Test func `a data process that talks nonsense is ended, and keeper goes on`() throws {
        defer { end() }
        let (toData, data) = try Channel.pair()
        (keeper.dataChannel, keeper.formerData, keeper.areWorkersRunning) = (toData, nil, true)
        #expect(unsafe write(data.descriptor, "nonsense", 8) == 8)
        try keeper.hearData()
        #expect(keeper.dataChannel == nil)
        keeper.lastSignOfControl = keeper.now()
        try keeper.tick()
        #expect(keeper.data?.wait(milliseconds: Int32(longestWait / .milliseconds(1))) != nil)
    }
}

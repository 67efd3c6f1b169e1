// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Layout
import Testing

@testable import Keeper

/// A keeper that has found a data process, which is this process here.
@Suite struct `What a data process hands out` {
    let keeper = KeeperLoop(configuration: "/dev/null", takeOver: false)
    let folder: RunFolder
    /// Data's end of the channel.
    let data: Channel
    private let channel: Channel

    init() throws {
        folder = try RunFolder("/tmp/bulkhead-keeper-tests-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        keeper.folder = folder
        (channel, data) = try Channel.pair()
    }

    private func remove() { try? FileManager.default.removeItem(atPath: folder.path) }

    /// A plan that keeper has completed.
    static func plan() -> Plan {
        var plan = Plan()
        (plan.pairCount, plan.runFolderPath) = (1, "/run/bulkhead")
        plan.pairs[0].name = FixedName("pair") ?? FixedName()
        for (port, name) in ["left", "right"].enumerated() { plan.pairs[0].ports[port].name = FixedName(name) ?? FixedName() }
        (plan.pairs[0].queues, plan.pairs[0].frameSize, plan.pairs[0].flowCapacity) = (1, 2048, 1024)
        return plan
    }

    private func held(_ plan: Plan = plan(), more: Int = 1) -> Holdings {
        let count = DataFiles.count(in: Self.plan()) + more
        return Holdings(plan: plan, descriptors: Array(repeating: -1, count: count), channel: channel, generation: 7)
    }

    @Test func `is taken back from the process that the run folder names, with a policy or without`() throws {
        defer { remove() }
        #expect(folder.note(data: getpid()))
        for more in [1, 3] { #expect(try keeper.holder(of: held(more: more), for: Self.plan())?.pid == getpid()) }
        #expect(try keeper.holder(of: held(more: 2), for: Self.plan()) == nil)
        var orders = Self.plan()
        orders.flowCapacity += 1
        #expect(try keeper.holder(of: held(), for: orders) == nil)
    }

    @Test(
        arguments: [
            { $0.pairCount = 9 }, { $0.pairCount = .max }, { $0.pairs[0].frameSize = 0 }, { $0.pairs[0].queues = 0 },
            { $0.pairs[0].queues = 255 }, { $0.pairs[0].ringSize = 0 },
        ] as [@Sendable (inout Plan) -> Void])
    func `is not taken back where it cannot be, and keeper does not count with it`(change: @Sendable (inout Plan) -> Void) throws
    {
        defer { remove() }
        #expect(folder.note(data: getpid()))
        var plan = Self.plan()
        change(&plan)
        #expect(try keeper.holder(of: held(plan), for: Self.plan()) == nil)
    }

    @Test func `is left alone where the run folder names nobody, unless it has ended behind its answer`() throws {
        defer { remove() }
        #expect(throws: KeeperError.self) { try keeper.holder(of: held(), for: Self.plan()) }
        shutdown(data.descriptor, Int32(SHUT_RDWR))
        #expect(try keeper.holder(of: held(), for: Self.plan()) == nil)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Layout
import TestSupport
import Testing

@testable import Control

@Suite("The file of policy's clock") struct ClockFileTests {
    private func folder() -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-clock-\(UInt32.random(in: 0 ... .max))").path
    }

    @Test func `what is written is read, and a missing folder is made`() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = ClockFile(stateFolder: folder + "/deep")
        #expect(file.read() == ClockFacts())
        for facts in [ClockFacts(latest: 1_800_000_000), ClockFacts(latest: 1_900_000_000, beforeLeap: 1_800_000_000)] {
            try file.write(facts)
            #expect(file.read() == facts)
        }
    }

    @Test(arguments: ["", "1", "1 2 3", "a b", "-1 0", "5 6", "99999999999999999999 0", "8589934592 0"])
    func `a file that says something else says nothing`(text: String) throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/clock"))
        #expect(ClockFile(stateFolder: folder).read() == ClockFacts())
    }

    @Test func `keeper is told what the file says, and the file what the board says at the end`() async throws {
        let code = try await withControl { keeper in
            try keeper.obey()
            #expect(keeper.clock == ClockFacts())
            _ = try keeper.putIntoForce()
            unsafe Board(base: keeper.board.base).clock = ClockFacts(latest: 1_800_000_000, beforeLeap: 3)
            try keeper.send(Message(.stop))
            while keeper.next() != nil {}
            // Written once the session's other services have ended.
            let file = ClockFile(stateFolder: keeper.path("state"))
            _ = eventually { file.read().latest > 0 }
            #expect(file.read() == ClockFacts(latest: 1_800_000_000, beforeLeap: 3))
        }
        #expect(code == 0)
    }
}

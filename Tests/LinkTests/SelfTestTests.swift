// SPDX-License-Identifier: Apache-2.0
import Glibc
import Link
import Testing

extension Kernel {
    @Suite struct SelfTestTests {
        @Test func `a kernel that forwards passes every step, and nothing of the test remains`() throws {
            try inFreshNamespace {
                let before = try shell("ip -brief link")
                let test = SelfTest.run()
                #expect(test.findings == [])
                let names = ["nativeXDP", "datagrams", "connection", "tags", "checksums", "closed", "open", "block"]
                #expect(test.steps.map(\.name) == names)
                for step in test.steps { #expect(step.isGood != false, "\(step.name): \(step.seen)") }
                #expect(try shell("ip -brief link") == before)
            }
        }
    }
}

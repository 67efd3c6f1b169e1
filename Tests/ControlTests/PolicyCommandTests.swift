// SPDX-License-Identifier: Apache-2.0
import Foundation
import Layout
import TestSupport
import Testing

@Suite(.enabled(if: Tool.hasBulkhead, "the binary is not built")) struct PolicyCommands {
    /// Runs `body` with a folder that holds the sample's documents in `policies.yaml`, and removes it.
    private func withFolder(_ body: (URL, String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "bulkhead-policy-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let policies = folder.appendingPathComponent("policies.yaml")
        try documents().write(to: policies, atomically: true, encoding: .utf8)
        try body(folder, policies.path)
    }

    private func object(_ command: Tool.Outcome) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(command.output.utf8)) as? [String: Any])
    }

    @Test func `a connection is explained, also when it is denied`() throws {
        try withFolder { _, policies in
            let allowed = try Tool.bulkhead("policy", "explain", "shop/web-1", "10.9.0.21", "tcp/5432", "--policies", policies)
            #expect(allowed.code == 0 && allowed.output.contains("\nallow\n"), "\(allowed.output)\(allowed.errors)")
            let denied = try Tool.bulkhead("policy", "explain", "web-1", "10.9.0.21", "tcp/22", "--policies", policies, "--json")
            #expect(denied.code == 0)
            #expect(try object(denied)["decision"] as? String == "deny")
            let unknown = try Tool.bulkhead("policy", "explain", "nobody", "10.9.0.21", "tcp/22", "--policies", policies)
            #expect(unknown.code == 1 && unknown.errors.contains("is no address and no workload"))
        }
    }

    @Test func `equal sets print nothing, others their boxes, and the exit code tells on request`() throws {
        try withFolder { folder, policies in
            let other = folder.appendingPathComponent("other.yaml")
            try documents().replacing("tcp/5432", with: "tcp/5433").write(to: other, atomically: true, encoding: .utf8)
            let equal = try Tool.bulkhead("policy", "diff", policies, policies, "--exit-code")
            #expect(equal.code == 0 && equal.output.isEmpty && equal.errors.isEmpty)
            let plain = try Tool.bulkhead("policy", "diff", policies, other.path)
            #expect(plain.code == 0 && plain.output.contains("deny -> allow"), "\(plain.output)\(plain.errors)")
            #expect(try Tool.bulkhead("policy", "diff", policies, other.path, "--exit-code").code == 1)
            #expect(try object(try Tool.bulkhead("policy", "diff", policies, other.path, "--json"))["equal"] as? Bool == false)
            #expect(try Tool.bulkhead("policy", "diff").code == 2)
        }
    }

    @Test func `sentences that are not true make the exit code 1, and a report for build servers`() throws {
        try withFolder { folder, policies in
            let test = folder.appendingPathComponent("test.yaml")
            let head = "apiVersion: bulkhead/v1\nkind: PolicyTest\nmetadata: {name: shop}\nspec:\n  expect:\n"
            try (head + "    - web-1 can reach 10.9.0.21 on tcp/5432\n").write(to: test, atomically: true, encoding: .utf8)
            let good = try Tool.bulkhead("policy", "test", test.path, "--policies", policies)
            #expect(good.code == 0 && good.output == "shop: 1 of 1 expectation holds\n", "\(good.output)\(good.errors)")
            try (head + "    - web-1 can reach 10.9.0.21 on any\n").write(to: test, atomically: true, encoding: .utf8)
            let report = folder.appendingPathComponent("report.xml")
            let bad = try Tool.bulkhead("policy", "test", test.path, "--policies", policies, "--junit", report.path)
            #expect(bad.code == 1 && bad.output.contains("false: web-1 can reach 10.9.0.21 on any"))
            #expect(try String(contentsOf: report, encoding: .utf8).contains("failures=\"1\""))
        }
    }

    @Test func `findings of the level make the exit code 1`() throws {
        try withFolder { folder, policies in
            #expect(try Tool.bulkhead("policy", "lint", "--policies", policies, "--level", "error").code == 0)
            let wide = folder.appendingPathComponent("wide.yaml")
            try documents().replacing("services: [tcp/5432]", with: "services: [any]").replacing(
                "to: {selector: 'app == \"db\"'}", with: "to: {}"
            )
            .write(to: wide, atomically: true, encoding: .utf8)
            let found = try Tool.bulkhead("policy", "lint", "--policies", wide.path, "--json")
            #expect(found.code == 1 && found.output.contains("\"any-any\""), "\(found.output)\(found.errors)")
            #expect(try Tool.bulkhead("policy", "lint", "--policies", policies, "--level", "bad").code == 2)
        }
    }

    @Test func `a matrix comes as a table, as values and as a picture`() throws {
        try withFolder { _, policies in
            #expect(try Tool.bulkhead("policy", "matrix", "--policies", policies).output.contains("shop/web-1"))
            let values = try Tool.bulkhead("policy", "matrix", "--policies", policies, "--by", "app", "--format", "csv")
            #expect(values.code == 0 && values.output.hasPrefix("from,to,extent,services,enforced\n"))
            #expect(try Tool.bulkhead("policy", "matrix", "--policies", policies, "--format", "svg").output.hasPrefix("<svg "))
            #expect(try Tool.bulkhead("policy", "matrix", "--policies", policies, "--format", "png").code == 2)
        }
    }

    @Test func `what get prints of files reads back as the same set`() throws {
        try withFolder { folder, policies in
            let got = try Tool.bulkhead("policy", "get", "--policies", policies)
            let copy = folder.appendingPathComponent("copy.yaml")
            try got.output.write(to: copy, atomically: true, encoding: .utf8)
            let equal = try Tool.bulkhead("policy", "diff", policies, copy.path, "--exit-code")
            #expect(got.code == 0 && equal.code == 0 && equal.output.isEmpty)
        }
    }

    @Test func `without files the policy in force is asked`() async throws {
        let code = try await withControl { keeper in
            try keeper.obey()
            _ = try keeper.putIntoForce()
            let socket = keeper.path("run/bulkhead.sock")
            let got = try Tool.bulkhead("policy", "get", "--socket", socket)
            #expect(got.code == 0 && got.output.hasPrefix("# generation "), "\(got.errors)")
            let told = try Tool.bulkhead("policy", "explain", "web-1", "10.9.0.21", "tcp/5432", "--socket", socket)
            #expect(told.code == 0 && told.output.contains("\nallow\n"))
            try keeper.send(Message(.stop))
        }
        #expect(code == 0)
    }

    @Test func `without files and without a daemon the message says how to start one`() throws {
        for verb in [["get"], ["lint"], ["matrix"], ["explain", "a", "b", "tcp/1"]] {
            let command = try Tool.bulkhead(["policy"] + verb + ["--socket", "/nowhere/b.sock"])
            #expect(command.code == 1 && command.errors.contains("no daemon at /nowhere/b.sock"), "\(verb): \(command.errors)")
        }
    }
}

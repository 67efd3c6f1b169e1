// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Net
import Testing

@testable import Control

extension Course {
    /// Publishes what serves once more; something happens when it is compiled.
    fileprivate func renew(behind event: @Sendable () async throws -> Void) async throws {
        try await inTurn {
            let publication = try await prepare(parts, configuration)
            try await event()
            try await establish(publication, parts, serving.text, serving.revision, isNew: false)
        }
    }
}

@Suite struct CatchingUp {
    @Test func `addresses that find no room in a map that is being made do not undo the change, and come behind it`() async throws
    {
        let names = (0..<24).map { "shop/many-\($0)" }
        let many = names.indices.map { number in
            workload(names[number], addresses: (1...250).map { "10.66.\(number).\($0)" })
        }.joined()
        try await withCourse { bench in
            // The map in force has room for them from here on; one that is made while they are gone has not.
            _ = try await bench.register(many)
            for name in names { _ = try await bench.course.unregister(name, by: bench.administrator) }
            let before = bench.generation
            try await bench.course.renew { _ = try await bench.register(many) }
            while bench.generation < before + 2 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try bench.decision(from: "10.66.23.250", to: "10.9.0.21", port: 5432) == .allow)
            #expect(!bench.conditions.contains("behind"))
        }
    }
}

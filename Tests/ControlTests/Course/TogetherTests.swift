// SPDX-License-Identifier: Apache-2.0
import API
import Classifier
import Foundation
import Net
import Policy
import State
import Telemetry
import Testing

@testable import Control

@Suite struct ChangesTogether {
    @Test func `changes that come at once are all in force, with a line each`() async throws {
        try await withCourse { bench in
            let reports = try await withThrowingTaskGroup(of: InventoryReport.self) { group in
                for number in 1...60 {
                    group.addTask { try await bench.register(workload("shop/w-\(number)", "10.7.0.\(number)")) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(reports.count == 60 && reports.allSatisfy { $0.generation == 1 && $0.contested.isEmpty })
            for number in 1...60 {
                #expect(try bench.decision(from: "10.7.0.\(number)", to: "10.9.0.21", port: 5432) == .allow, "\(number)")
            }
            #expect(try await bench.audited().count { $0 == "workload.add done" } == 60)
        }
    }

    @Test func `a map that is full for many at once is made larger once`() async throws {
        try await withCourse { bench in
            var text = ""
            for number in 0..<500 { text += workload("shop/w-\(number)", "10.6.\(number / 200).\(number % 200 + 1)") }
            _ = try await bench.register(text)
            let before = bench.generation
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...60 {
                    group.addTask {
                        var text = ""
                        for address in 0..<10 {
                            text += workload("shop/v-\(number)-\(address)", "10.7.\(number).\(address + 1)")
                        }
                        _ = try await bench.register(text)
                    }
                }
                try await group.waitForAll()
            }
            #expect(bench.generation > before && bench.generation <= before + 4, "\(before) \(bench.generation)")
            for number in 1...60 { #expect(try bench.claim(on: "10.7.\(number).10").isThere) }
        }
    }

    @Test func `of two who take the same name at once one has it, and the other is refused`() async throws {
        try await withCourse { bench in
            let outcomes = await withTaskGroup(of: Refusal?.self) { group in
                for (number, name) in ["olga", "oscar", "otto"].enumerated() {
                    group.addTask {
                        await refusal {
                            try await bench.register(workload("shop/one", "10.7.0.\(number + 1)"), by: bench.operating(name))
                        }
                    }
                }
                return await group.reduce(into: [Refusal?]()) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == nil } == 1, "\(outcomes)")
            #expect(outcomes.compactMap { $0 }.allSatisfy { $0.kind == .forbidden }, "\(outcomes)")
            let there = try (1...3).filter { try bench.claim(on: "10.7.0.\($0)").isThere }
            #expect(there.count == 1, "\(there)")
        }
    }

    @Test func `of one workload's changes the last that was answered holds`() async throws {
        try await withCourse { bench in
            _ = try await bench.register(workload("shop/moving", "10.7.0.1"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 2...20 {
                    group.addTask { _ = try await bench.register(workload("shop/moving", "10.7.0.\(number)")) }
                }
                try await group.waitForAll()
            }
            // Somebody was the last; what the store has, the map has.
            let there = try (1...20).filter { try bench.claim(on: "10.7.0.\($0)").isThere }
            #expect(there.count == 1 && there != [1], "\(there)")
            _ = try await bench.register(workload("shop/moving", "10.7.0.99"))
            #expect(try bench.claim(on: "10.7.0.99").isThere)
            #expect(try !bench.claim(on: "10.7.0.\(there[0])").isThere)
        }
    }
}

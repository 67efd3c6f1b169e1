// SPDX-License-Identifier: Apache-2.0
import Classifier
import Foundation
import Layout
import Net
import Record
import TestSupport
import Testing

@Suite struct Sessions {
    @Test func `orders, files, publication, reload, stop: each in its turn`() async throws {
        let code = try await withControl { keeper in
            try keeper.obey()
            #expect(keeper.plan.pairs[0].name.description == "edge" && keeper.plan.pairs[0].ports[1].name.description == "right")
            #expect(keeper.plan.runFolderPath == keeper.path("run"))
            let (message, descriptors) = try #require(keeper.next())
            #expect(message.kind == .publish && message.arguments[0] == 1 && descriptors.count == 2)
            // The API answers before anything is published.
            #expect(FileManager.default.fileExists(atPath: keeper.path("run/bulkhead.sock")))
            try validate(descriptors, generation: 1, epoch: message.arguments[1])
            try keeper.send(Message(.inForce, 1))
            try keeper.write(documents(port: 5433), to: "set.yaml")
            try keeper.send(Message(.reload))
            let second = try keeper.putIntoForce()
            #expect(second.generation == 2 && second.epoch > message.arguments[1])
            try keeper.send(Message(.stop))
            #expect(keeper.next() == nil)
            #expect(!FileManager.default.fileExists(atPath: keeper.path("run/bulkhead.sock")))
        }
        #expect(code == 0)
    }

    /// Both files are what a worker accepts, the image is sealed, and an address leads to its workload.
    private func validate(_ descriptors: [Int32], generation: UInt32, epoch: UInt64) throws {
        let image = try SharedMemory(adopting: descriptors[0], writable: false)
        let map = try SharedMemory(adopting: descriptors[1], writable: false)
        let snapshot = try unsafe Snapshot(validating: image.base, byteCount: image.byteCount)
        let addresses = try unsafe AddressMap(validating: map.base, byteCount: map.byteCount)
        #expect(snapshot.generation == generation)
        #expect(UInt64(addresses.epoch) == epoch)
        #expect(addresses.claim(on: Address("10.9.0.21"), zone: 0).isThere)
        #expect(!addresses.claim(on: Address("10.9.0.22"), zone: 0).isThere)
        #expect(throws: (any Error).self) { _ = try SharedMemory(adopting: dup(image.descriptor), writable: true) }
    }

    @Test func `bad policies change nothing, and mended ones are the next generation`() async throws {
        let code = try await withControl { keeper in
            try keeper.obey()
            #expect(try keeper.putIntoForce().generation == 1)
            try keeper.write(documents() + "\n    - {action: alow}\n", to: "set.yaml")
            try keeper.send(Message(.reload))
            #expect(keeper.next(within: 1.5) == nil)
            #expect(keeper.signsOfLife > 0)
            try keeper.write(documents(port: 443), to: "set.yaml")
            try keeper.send(Message(.reload))
            #expect(try keeper.putIntoForce().generation == 2)
            try keeper.send(Message(.stop))
        }
        #expect(code == 0)
    }

    @Test func `requests that come while a publication is on its way become one`() async throws {
        let code = try await withControl { keeper in
            try keeper.obey()
            let first = try keeper.expect(.publish)
            for _ in 0..<5 { try keeper.send(Message(.reload)) }
            #expect(keeper.next(within: 0.5) == nil)
            try keeper.send(Message(.inForce, first.arguments[0]))
            #expect(try keeper.putIntoForce().generation == 2)
            #expect(keeper.next(within: 0.5) == nil)
            try keeper.send(Message(.stop))
        }
        #expect(code == 0)
    }

    @Test func `a control that is started again goes on behind the last generation and epoch`() async throws {
        let code = try await withControl { keeper in
            try keeper.obey(last: (41, 700))
            let numbers = try keeper.putIntoForce()
            #expect(numbers.generation == 42 && numbers.epoch > 700)
            try keeper.send(Message(.stop))
        }
        #expect(code == 0)
    }

    @Test(arguments: ["pairs: []\n", "pairs: [{name: e, ports: [a, b]}]\npolicies: [nowhere]\n"])
    func `a configuration that is not understood ends control before it orders anything`(text: String) async throws {
        let code = try await withControl(configuration: text) { keeper in #expect(keeper.next() == nil) }
        #expect(code == 1)
    }

    @Test func `so do policies at the start`() async throws {
        let code = try await withControl(policies: "apiVersion: bulkhead/v2\n") { keeper in #expect(keeper.next() == nil) }
        #expect(code == 1)
    }

    @Test func `a first generation that data refuses ends control, a later one does not`() async throws {
        let first = try await withControl { keeper in
            try keeper.obey()
            try keeper.send(Message(.refused, try keeper.expect(.publish).arguments[0]))
            #expect(keeper.next() == nil)
        }
        #expect(first == 1)
        let later = try await withControl { keeper in
            try keeper.obey()
            _ = try keeper.putIntoForce()
            try keeper.send(Message(.reload))
            try keeper.send(Message(.refused, try keeper.expect(.publish).arguments[0]))
            try keeper.send(Message(.reload))
            #expect(try keeper.putIntoForce().generation == 3)
            try keeper.send(Message(.stop))
        }
        #expect(later == 0)
    }

    @Test(.enabled(if: Tool.hasBulkhead, "the binary is not built"))
    func `who follows a shadow run does not hold up the end`() async throws {
        let code = try await withControl { keeper in
            try keeper.obey()
            _ = try keeper.putIntoForce()
            let socket = keeper.path("run/bulkhead.sock")
            try keeper.write(documents(port: 443), to: "candidate.yaml")
            let begun = try Tool.bulkhead("policy", "shadow", "start", keeper.path("candidate.yaml"), "--socket", socket)
            #expect(begun.code == 0, "\(begun.errors)")
            Thread.detachNewThread { _ = try? Tool.bulkhead("policy", "shadow", "report", "--follow", "--socket", socket) }
            Thread.sleep(forTimeInterval: 2)
            let begin = ContinuousClock.now
            try keeper.send(Message(.stop))
            #expect(keeper.next() == nil)
            // A service group's patience is three seconds, and so is keeper's.
            #expect(ContinuousClock.now - begin < .seconds(2))
        }
        #expect(code == 0)
    }

    @Test func `a keeper that goes away ends control in good order`() async throws {
        let code = try await withControl { keeper in
            try keeper.obey()
            _ = try keeper.putIntoForce()
            keeper.hangUp()
        }
        #expect(code == 0)
    }

    @Test func `a socket that cannot be made ends control`() async throws {
        let code = try await withControl(
            configuration: "pairs: [{name: e, ports: [a, b]}]\nrun: run\nsocket: /proc/bulkhead.sock\n"
        ) { keeper in
            try keeper.obey()
            #expect(keeper.next() == nil)
        }
        #expect(code == 1)
    }

    @Test func `memory of another layout is not mapped`() async throws {
        let code = try await withControl { keeper in
            _ = try keeper.expect(.orders)
            let descriptors = [keeper.board.descriptor, keeper.board.descriptor, keeper.board.descriptor]
            try keeper.send(Message(.files), descriptors: descriptors)
            #expect(keeper.next() == nil)
        }
        #expect(code == 1)
    }
}

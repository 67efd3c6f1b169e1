// SPDX-License-Identifier: Apache-2.0
import Flow
import Foundation
import Layout
import Net

extension Lab {
    /// A memory file of the daemon, through the descriptor of the keeper that holds it.
    func memory(named name: String) throws -> SharedMemory {
        let folder = "/proc/\(try status().process("keeper").pid)/fd"
        for descriptor in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(descriptor)")
            guard file?.contains(name) == true else { continue }
            return try SharedMemory(adopting: unsafe open("\(folder)/\(descriptor)", O_RDWR | O_CLOEXEC), writable: true)
        }
        throw Trouble("keeper holds no \(name)")
    }
}

/// The flow tables of the laboratory's one worker, through the descriptor of the keeper that holds them.
@safe final class FlowFile {
    private let memory: SharedMemory
    private let layout: FlowsLayout
    private let generation: UInt32
    private let epoch: UInt32

    /// Maps them.
    init(_ lab: Lab) throws {
        let status = try lab.status()
        var pair = PairPlan()
        pair.queues = 1
        pair.flowCapacity = UInt32(status.flows.capacity)
        layout = FlowsLayout(pair)
        (generation, epoch) = (UInt32(status.generation), UInt32(status.epoch))
        memory = try lab.memory(named: "bulkhead-flows")
    }

    /// Puts connections into the IPv4 table that no frame will belong to. The worker writes there too: nothing may pass meanwhile.
    func fill(_ count: Int) throws {
        let secret = unsafe memory.base.load(fromByteOffset: FlowsLayout.secret, as: HashSecret.self)
        guard
            var table = unsafe FlowTable<FlowKey4>(
                base: memory.base + layout.table4(ofWorker: 0), capacity: layout.capacity, secret: secret)
        else { throw Trouble("there is no table") }
        let now = UInt32(truncatingIfNeeded: Moment.now.nanoseconds >> 20)
        for number in 0..<UInt32(count) {
            let key = FlowKey4(
                low: 0x0b00_0000 | number >> 8, high: 0x0c00_0001, ports: (number & 0xff) << 16 | 443, vlans: 0, tunnel: 0,
                context: 6 << 24)
            let entry = table.insert(key, hash: table.hash(key), state: .established, initiator: .low, now: now)
            guard entry != .max else { throw Trouble("no place for connection \(number)") }
            (table[entry].generation, table[entry].epoch) = (generation, epoch)
        }
    }

    /// Writes noise over the index of the IPv4 table.
    func damage() {
        let index = layout.table4(ofWorker: 0) + FlowTableHeader.size
        for line in 0..<FlowTableLayout<FlowKey4>(capacity: layout.capacity).buckets {
            unsafe memory.base.storeBytes(of: .random(in: 0 ... .max), toByteOffset: index + line * 64, as: UInt64.self)
        }
    }
}

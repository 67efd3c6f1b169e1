// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    @Suite struct Accounting {
        /// Our counters and the kernel's, between which nothing moved.
        private func counted(_ lab: Lab, _ ends: [Interface]) throws -> (Status, [Interface.Counters]) {
            for _ in 0..<10 {
                let before = try ends.map { try $0.counters() }
                let status = try lab.quietStatus()
                if try ends.map({ try $0.counters() }) == before { return (status, before) }
            }
            throw Trouble("the wire is never quiet")
        }

        @Test func `every frame is accounted for, and the kernel counted the same`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let ends = [lab.web.interface, lab.db.interface]
            let (ours, kernels) = try counted(lab, ends)

            let allowed = try Stream(lab, from: lab.web, to: lab.db, rate: 5000)
            let denied = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 1000)
            let server = try Transfer.serve(lab, "serve", at: lab.db, address: lab.db.ipv4, port: Lab.allowedPort)
            let transfer: Transfer.Outcome = try Transfer.run(
                "send", at: lab.web, address: lab.db.ipv4, port: Lab.allowedPort, 20_000_000)
            #expect(transfer.answer.sha256 == transfer.sha256)
            try lab.web.namespace.run("ping", "-n", "-q", "-c", "20", "-i", "0.02", lab.db.ipv6)
            #expect(try allowed.finish().lost == 0)
            #expect(try denied.finish().frames.isEmpty)
            try server.end()

            let (after, kernelsAfter) = try counted(lab, ends)
            let moved = zip(kernelsAfter, kernels).map { $0 - $1 }
            for port in after.ports {
                for queue in port.queues {
                    #expect(queue.received == queue.forwarded + queue.allDropped + queue.held, "\(port.name) \(queue.queue)")
                }
            }
            for (here, there) in [(0, 1), (1, 0)] {
                let (port, other) = (after.ports[here], after.ports[there])
                let (past, otherPast) = (ours.ports[here], ours.ports[there])
                let lost = port.lostInKernel - past.lostInKernel
                #expect(port.received - past.received + lost == moved[here].sent, "\(port.name) received")
                #expect(
                    other.forwarded - otherPast.forwarded + port.generated - past.generated == moved[here].received,
                    "\(port.name) sent")
                figure(
                    "accounting \(port.name)",
                    "\(port.received) received = \(port.forwarded) forwarded + "
                        + "\(port.queues.reduce(0) { $0 + $1.allDropped }) dropped + "
                        + "\(port.queues.reduce(0) { $0 + $1.held }) held; kernel \(moved[here].sent) in, \(moved[here].received) out"
                )
            }
        }
    }
}

extension Status.Port {
    /// Frames that the kernel redirected to us and could not deliver.
    fileprivate var lostInKernel: UInt64 {
        queues.reduce(0) { $0 + ($1.kernel["rx_dropped"] ?? 0) + ($1.kernel["rx_ring_full"] ?? 0) }
    }
}

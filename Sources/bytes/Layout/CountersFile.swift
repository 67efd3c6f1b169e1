// SPDX-License-Identifier: Apache-2.0
internal import Net
public import Record

/// The counters of all workers in their mapped file: read by anybody at any time, and settled by keeper after workers were killed.
@safe public final class CountersFile: @unchecked Sendable {
    /// The file.
    public let memory: SharedMemory

    /// Takes over a mapped file of counters whose header has been checked.
    public init(_ memory: SharedMemory) { self.memory = memory }

    /// A worker's counters as they are now; single words are whole, the sum of several may be a turn apart.
    public subscript(worker: Int) -> WorkerCounters { unsafe place(worker).pointee }

    // Data writes the counters, and keeper must survive whatever it wrote: sums wrap.

    /// Books the frames that a killed worker left in a port's rings: the kernel had put `received` frames into the receive ring since
    /// the socket was made (modulo 2³²), and has not taken `unsent` forwarded and `unsentGenerated` generated frames of those that the
    /// worker had pushed for sending by this port.
    public func settle(worker: Int, port: Int, received: UInt32, unsent: UInt32, unsentGenerated: UInt32 = 0) {
        let counters = unsafe place(worker)
        let lost = Int(DropReason.lostWithWorker.number)
        let waiting = unsafe UInt64(received &- UInt32(truncatingIfNeeded: counters.pointee.ports[port].ringPosition))
        unsafe counters.pointee.ports[port].received &+= waiting
        unsafe counters.pointee.ports[port].dropped[lost] &+= waiting
        // The next socket's ring begins at 0.
        unsafe counters.pointee.ports[port].ringPosition = 0
        // What waited to be sent by this port had come in by the other one, and was counted as forwarded there.
        let forwarded = unsafe counters.pointee.ports[1 - port].forwarded
        let gone = min(UInt64(unsent), forwarded)
        unsafe counters.pointee.ports[1 - port].forwarded -= gone
        unsafe counters.pointee.ports[1 - port].dropped[lost] &+= gone
        // What was generated came in by no port, so that nothing is lost with it.
        let generated = unsafe counters.pointee.ports[port].generated
        unsafe counters.pointee.ports[port].generated = generated - min(UInt64(unsentGenerated), generated)
    }

    /// A port's rings are gone before anybody could read where they stood: what was in them is not counted, and the next socket's ring
    /// begins at 0.
    public func forgetPosition(worker: Int, port: Int) {
        unsafe place(worker).pointee.ports[port].ringPosition = 0
    }

    /// Books what a killed worker had in hand: whatever is missing between received and the sum of its ends.
    public func balance(worker: Int) {
        let counters = unsafe place(worker)
        for port in 0..<2 {
            unsafe counters.pointee.ports[port].held = 0
            let queue = unsafe counters.pointee.ports[port]
            let ended = queue.forwarded &+ queue.droppedInAll
            if queue.received > ended {
                unsafe counters.pointee.ports[port].dropped[Int(DropReason.lostWithWorker.number)] &+= queue.received - ended
            } else {
                unsafe counters.pointee.ports[port].received = ended
            }
        }
    }

    private func place(_ worker: Int) -> UnsafeMutablePointer<WorkerCounters> {
        precondition((0..<Plan.maximumWorkers).contains(worker))
        return unsafe (memory.base + CountersLayout.worker(worker)).assumingMemoryBound(to: WorkerCounters.self)
    }
}

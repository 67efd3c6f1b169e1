// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Datapath
internal import Glibc
internal import Layout
internal import Synchronization

/// The thread of a worker: pinned to a processor, with the worker's whole state on its own stack.
@safe final class WorkerThread {
    /// What the new thread takes over. It holds what the worker reads through plain pointers: at a stop the process's end finds workers
    /// in the middle of their turns, and whoever started them is gone by then.
    @safe private final class Errand {
        let memory: DataMemory
        let cell: PolicyCell
        let pair: Int
        let queue: Int
        let post: WorkerPost
        let processor: Int?
        let state = Atomic<Int>(0)

        init(memory: DataMemory, cell: PolicyCell, pair: Int, queue: Int, post: WorkerPost, processor: Int?) {
            self.memory = memory
            self.cell = cell
            self.pair = pair
            self.queue = queue
            self.post = post
            self.processor = processor
        }

        func work() {
            pin()
            _ = unsafe cxdp_name_thread("worker-\(post.number)")
            do {
                var worker = Worker(lane: try memory.lane(pair: pair, queue: queue), post: post)
                state.store(1, ordering: .releasing)
                withExtendedLifetime(self) { worker.run() }
            } catch {
                _ = DataProcess.complain("worker \(post.number): \(error)")
                // A data process without one of its workers is no firewall: end, and let keeper start another.
                exit(1)
            }
        }

        /// Binds the thread to its processor, and says so on the board.
        private func pin() {
            var place: UInt64 = 0
            if let processor, cxdp_pin_thread(Int32(processor)) == 0 { place = UInt64(processor) + 1 }
            unsafe memory.board.word(.processor, ofWorker: post.number).pointee.store(place, ordering: .relaxed)
        }
    }

    private var thread = pthread_t()
    private let errand: Errand

    init(memory: DataMemory, cell: PolicyCell, pair: Int, queue: Int, post: WorkerPost, processor: Int?) throws {
        errand = Errand(memory: memory, cell: cell, pair: pair, queue: queue, post: post, processor: processor)
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, 1 << 20)
        let handle = unsafe Unmanaged.passRetained(errand)
        let result = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                unsafe Unmanaged<Errand>.fromOpaque(argument!).takeRetainedValue().work()
                return nil
            }, handle.toOpaque())
        unsafe pthread_attr_destroy(&attributes)
        guard result == 0 else {
            unsafe handle.release()
            throw ChannelError.system("cannot start a worker", errno: result)
        }
    }

    /// Returns when the worker has mapped its rings and entered its loop.
    func waitUntilRunning() {
        while errand.state.load(ordering: .acquiring) == 0 { usleep(100) }
    }

    /// Returns when the worker has parked and its thread has ended.
    func join() { pthread_join(thread, nil) }
}

// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Link
internal import Synchronization

/// A thread that stays inside the kernel's one long call. A call costs some 20 ms at its end, when the kernel waits until nobody can hold
/// one of its frames any more; so there is one for the whole run, and a signal to this very thread is what ends it.
@safe final class SendingThread {
    @safe private final class Errand {
        let program: LabProgram
        let frame: [UInt8]
        let port: Interface
        let batch: UInt32
        let isStopped = Atomic<Bool>(false)
        let hasEnded = Atomic<Bool>(false)
        /// Written before `hasEnded`, read behind it.
        var error: LabError?

        init(_ program: LabProgram, _ frame: [UInt8], _ port: Interface, _ batch: UInt32) {
            (self.program, self.frame, self.port, self.batch) = (program, frame, port, batch)
        }

        func work() {
            // Whoever started this thread may have blocked the signal.
            var signals = sigset_t()
            unsafe sigemptyset(&signals)
            unsafe sigaddset(&signals, SIGUSR1)
            unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            do {
                while !isStopped.load(ordering: .acquiring) {
                    try program.send(frame, by: port, times: .max >> 1, batch: batch)
                }
            } catch {
                self.error = error
            }
            hasEnded.store(true, ordering: .releasing)
        }
    }

    private let errand: Errand
    private var thread = pthread_t()

    /// Starts sending.
    init(_ program: LabProgram, frame: [UInt8], by port: Interface, batch: UInt32) throws(LabError) {
        errand = Errand(program, frame, port, batch)
        // It does nothing, which is enough to interrupt a system call.
        _ = signal(SIGUSR1) { _ in }
        let handle = unsafe Unmanaged.passRetained(errand)
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe Unmanaged<Errand>.fromOpaque(argument!).takeRetainedValue().work()
                return nil
            }, handle.toOpaque())
        guard result == 0 else {
            unsafe handle.release()
            throw .refused(doing: "starting a thread", errno: result)
        }
    }

    /// Whether it cannot go on.
    var hasEnded: Bool { errand.hasEnded.load(ordering: .acquiring) }

    /// Ends sending, and returns when no frame can come any more.
    func stop() throws(LabError) {
        errand.isStopped.store(true, ordering: .releasing)
        // A signal that comes between two calls interrupts nothing, so it is sent until the thread has noticed.
        while !hasEnded {
            pthread_kill(thread, SIGUSR1)
            usleep(1000)
        }
        pthread_join(thread, nil)
        if let error = errand.error { throw error }
    }
}

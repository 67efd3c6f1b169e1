// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Glibc

/// A process that keeper watches: one that it started, or one that it found running. Known by a descriptor, so that no other
/// process that got its number later can be taken for it.
public final class ChildProcess {
    /// The process's number.
    public let pid: Int32
    /// Readable when the process has ended.
    public let descriptor: Int32
    /// The signal that ended it, once `wait` has seen it end; 0 for none, and for a process that is no child of this one.
    public private(set) var signal: Int32 = 0

    /// Starts this very binary with the given arguments, the first of which names what it is to be; `descriptors` become 3, 4, … in
    /// it. It may run on `processors`, or where the calling thread may.
    public init(
        starting arguments: [String], descriptors: [Int32], on processors: ProcessorSet? = nil
    ) throws(ChannelError) {
        // A child has the processors of the thread that starts it.
        let own = ProcessorSet.allowed()
        processors?.hold()
        defer { if processors != nil { own.hold() } }
        var words: [UnsafeMutablePointer<CChar>?] = unsafe (["bulkhead"] + arguments).map { unsafe strdup($0) }
        unsafe words.append(nil)
        defer { unsafe words.forEach { unsafe free($0) } }
        let child = unsafe cxdp_spawn("/proc/self/exe", words, nil, descriptors, UInt32(descriptors.count))
        guard child > 0 else { throw .system("cannot start \(arguments.first ?? "a process")", errno: -child) }
        let handle = cxdp_pidfd_open(child)
        guard handle >= 0 else { throw .system("cannot watch process \(child)", errno: -handle) }
        pid = child
        descriptor = handle
    }

    /// Watches a process that somebody else started.
    public init(watching pid: Int32) throws(ChannelError) {
        let handle = cxdp_pidfd_open(pid)
        guard handle >= 0 else { throw .system("cannot watch process \(pid)", errno: -handle) }
        self.pid = pid
        descriptor = handle
    }

    deinit { close(descriptor) }

    /// Sends a signal; one to a process that has ended is nothing.
    public func send(_ signal: Int32) { _ = cxdp_pidfd_send_signal(descriptor, signal) }

    /// Waits for the end of the process; its exit code, -1 for a process that a signal ended or that is nobody of ours; `nil` when the
    /// time is over before.
    public func wait(milliseconds: Int32) -> Int32? {
        var ended = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&ended, 1, milliseconds) > 0 else { return nil }
        // One that was found running may be a child all the same, of the binary that this process was before.
        var code: Int32 = -1
        _ = unsafe cxdp_reap(pid, &code, &signal)
        return code
    }

    /// Ends the process at once, also a stopped one, and waits for it.
    public func kill() {
        send(SIGKILL)
        _ = wait(milliseconds: 5000)
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Glibc
internal import Net
internal import Synchronization

/// Where flow events are told line by line for another program.
public protocol FlowLog: Sendable {
    /// Tells events in their order, and how many were lost before them; how many of them could not be told. Waits for a disk at most.
    func write(_ events: [FlowEvent], lost: UInt64) -> Int
    /// Why it could not tell what it was told last; `nil` while it can.
    var fault: String? { get }
    /// Ends it.
    func close()
}

/// A file of JSON lines, one object for each event and `{"lost": N}` in the place where records are missing. When the file is as
/// long as it may be it becomes `FILE.1`, that one `FILE.2`, and the last one goes; nobody has to be told.
public final class FlowFile: FlowLog {
    private struct State {
        var descriptor: Int32 = -1
        var bytes = 0
    }

    private let path: String
    private let limit: Int
    private let kept: Int
    private let state = Mutex(State())
    /// Beside the state, which is held for as long as the disk takes.
    private let noted = Mutex<String?>(nil)

    /// A log in a file that grows to `limit` bytes, and that many older ones beside it. The file is made when there is something to say.
    public init(path: String, limit: Int = 100 << 20, kept: Int = 5) {
        self.path = path
        self.limit = limit
        self.kept = kept
        let folder = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
        if !folder.isEmpty, unsafe access(String(folder), F_OK) != 0 { note() }
    }

    /// Takes note of why the file cannot be written: the last call of the system failed.
    private func note() {
        let why = unsafe String(cString: strerror(errno))
        noted.withLock { $0 = "\(path) cannot be written: \(why); its folder must be there, and control's user may write in it" }
    }

    /// Why nothing can be written, from the start on where the folder is not there.
    public var fault: String? { noted.withLock { $0 } }

    /// Writes lines; those that the disk does not take are cut off whole and count as not told.
    public func write(_ events: [FlowEvent], lost: UInt64) -> Int {
        state.withLock { state in
            if lost > 0 { _ = append("{\"lost\":\(lost)}\n", &state) }
            return events.count { !append(FlowLine.json($0) + "\n", &state) }
        }
    }

    /// Closes the file.
    public func close() {
        state.withLock { state in
            if state.descriptor >= 0 { _ = Glibc.close(state.descriptor) }
            state.descriptor = -1
        }
    }

    private func append(_ line: String, _ state: inout State) -> Bool {
        let bytes = Array(line.utf8)
        if state.descriptor >= 0, state.bytes + bytes.count > limit { rotate(&state) }
        if state.descriptor < 0 { open(&state) }
        guard state.descriptor >= 0 else {
            note()
            return false
        }
        let count = unsafe Glibc.write(state.descriptor, bytes, bytes.count)
        if count == bytes.count {
            state.bytes += count
            noted.withLock { $0 = nil }
            return true
        }
        note()
        // A part of a line is no line: whoever reads the file must not trip over it.
        if count > 0 { _ = ftruncate(state.descriptor, off_t(state.bytes)) }
        return false
    }

    private func open(_ state: inout State) {
        state.descriptor = unsafe Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        state.bytes = state.descriptor >= 0 ? Int(max(0, lseek(state.descriptor, 0, SEEK_END))) : 0
    }

    private func rotate(_ state: inout State) {
        _ = Glibc.close(state.descriptor)
        state.descriptor = -1
        if kept == 0 { _ = unsafe unlink(path) }
        for number in stride(from: kept, to: 0, by: -1) {
            _ = unsafe rename(number == 1 ? path : "\(path).\(number - 1)", "\(path).\(number)")
        }
    }
}

/// The system's log, by a datagram for each event (RFC 3164's form, as local daemons take it): facility local0, severity notice for
/// what was refused and informational for the rest. A full or absent socket costs the message and no time.
public final class SystemLog: FlowLog {
    private let path: String
    private let descriptor: Int32

    /// A log at a socket.
    public init(path: String = "/dev/log") {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    }

    /// Sends each event.
    public func write(_ events: [FlowEvent], lost: UInt64) -> Int {
        if lost > 0 { _ = send("{\"lost\":\(lost)}", severity: 4) }
        return events.count { !send(FlowLine.json($0), severity: $0.decision == .allow ? 6 : 5) }
    }

    /// The system's log comes and goes; what it does not take is counted.
    public var fault: String? { nil }

    /// Closes the socket.
    public func close() { _ = Glibc.close(descriptor) }

    private func send(_ text: String, severity: Int) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard name.count < room else { return false }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
        // local0 is facility 16.
        let message = Array("<\(16 * 8 + severity)>bulkhead: \(text)".utf8)
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe sendto(
                    descriptor, message, message.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL), address,
                    socklen_t(MemoryLayout<sockaddr_un>.size)) == message.count
            }
        }
    }
}

/// An event as a line for programs.
enum FlowLine {
    /// One JSON object. What could steer a terminal is escaped by JSON already as far as ASCII goes, and written out beyond.
    static func json(_ event: FlowEvent) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(FlowReport(event)) else { return "{}" }
        return TerminalText.escapedJSON(String(decoding: data, as: UTF8.self))
    }
}

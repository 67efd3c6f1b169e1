// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Glibc
import Pcapng
import Synchronization
import Telemetry

/// How a capture went, for people and as `--json` prints it.
struct CaptureSummary: Encodable, Sendable {
    /// The file; absent where the capture went to standard output.
    var file: String?
    /// Sights that were written, and bytes of frames in them.
    var packets, bytes: UInt64
    /// Frames that are missing, by what was in the way.
    var suppressed, lost, undelivered: UInt64
    /// Why it ended: time, frames, size, asked, gone, unauthorized, stopping, interrupted, or reader where that has gone away.
    var why: String

    /// One line while it goes on.
    var progress: String { "\(packets) packets, \(bytes) bytes\(missing)" }

    /// A sentence for people.
    var text: String { "\(packets) packets, \(bytes) bytes\(file.map { " in \($0)" } ?? "")\(missing): \(ending)" }

    private var missing: String {
        let parts = [
            (suppressed, "more than --rate lets through"), (lost, "found no room in a worker's ring"),
            (undelivered, "came faster than they were written"),
        ].filter { $0.0 > 0 }
        return parts.isEmpty ? "" : "; missing: " + parts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }

    private var ending: String {
        switch why {
        case "time": "the time is over"
        case "frames": "that many were asked for"
        case "size": "that many bytes were asked for"
        case "asked", "interrupted": "ended by hand"
        case "reader": "its reader has gone away"
        case "unauthorized": "you may not capture any more"
        case "stopping": "the daemon is stopping"
        default: why
        }
    }
}

/// The file that a capture is written into, or standard output. It is made when the daemon has agreed, so that a refusal leaves none, and
/// only its owner may read it. Where there is no room for more, it ends with a whole block.
final class CaptureFile: Sendable {
    /// Nobody reads standard output any more.
    struct ReaderIsGone: Error {}

    private struct State {
        var descriptor: Int32 = -1
        var writer = PcapngWriter(interfaces: 0)
        var ports: [String: Int] = [:]
        var counts = CaptureCounts()
        var packets: UInt64 = 0
        var bytes: UInt64 = 0
        var why: String?
        var began: UInt64 = 0
        /// Where the last whole block ends.
        var whole: Int64 = 0
    }

    private let path: String?
    private let state = Mutex(State())

    /// A file at a path that does not exist yet or is one; standard output for `nil`.
    init(_ path: String?) throws {
        self.path = path
        guard let path else { return }
        var isFolder: ObjCBool = false
        if unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw DaemonClient.Failure(description: "\(path) is a folder: name a file with --output")
        }
    }

    /// What it is called.
    var name: String { path ?? "standard output" }
    /// Whether anything was written.
    var isBegun: Bool { state.withLock { $0.descriptor >= 0 } }
    /// What the daemon counted last.
    var counts: CaptureCounts {
        get { state.withLock { $0.counts } }
        set { state.withLock { $0.counts = newValue } }
    }
    /// Why it ended; `nil` while it goes on.
    var why: String? {
        get { state.withLock { $0.why } }
        set { state.withLock { $0.why = newValue } }
    }

    /// Makes the file and writes what stands before the first packet: for each port what comes in by it, and what leaves.
    func begin(_ begin: CaptureBegin) throws {
        try state.withLock { state in
            state.descriptor = try path.map(make) ?? STDOUT_FILENO
            state.began = Self.now
            state.ports = Dictionary(begin.ports.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            state.writer = PcapngWriter(interfaces: 2 * begin.ports.count)
            let what = begin.payload ? "whole frames" : "headers only"
            let head = PcapngWriter.head(
                application: "Bulkhead \(TerminalText.escaped(begin.version))", comment: "\(what), until \(begin.until)",
                snap: begin.snap,
                begin.ports.flatMap { port in
                    [
                        .init(name: "\(port):in", description: "what comes in by \(port), before its verdict"),
                        .init(name: "\(port):out", description: "what leaves by \(port), after its verdict"),
                    ]
                })
            try write([head], &state)
        }
    }

    /// Writes packets.
    func write(_ frames: [FrameReport]) throws {
        try state.withLock { state in
            guard state.descriptor >= 0 else { throw foreign }
            var blocks: [[UInt8]] = []
            for frame in frames {
                guard let port = state.ports[frame.port], frame.bytes.count <= 1 << 16 else { throw foreign }
                let isIn = frame.sight == "before"
                let comment = frame.comment.map(TerminalText.escaped).joined(separator: "\n")
                blocks.append(
                    state.writer.packet(
                        .init(
                            interface: 2 * port + (isIn ? 0 : 1), time: UInt64(max(0, frame.time)), length: frame.length,
                            bytes: Array(frame.bytes), direction: isIn ? .inbound : .outbound, identifier: frame.number,
                            comment: comment)))
                state.packets += 1
                state.bytes += UInt64(frame.bytes.count)
            }
            try write(blocks, &state)
        }
    }

    /// Writes what stands behind the last packet, and closes the file.
    func finish() throws {
        try state.withLock { state in
            guard state.descriptor >= 0 else { return }
            let counts = state.counts
            let missing = counts.suppressed + counts.lost + counts.undelivered
            let comment = missing > 0 ? "\(missing) frames are missing, of all interfaces together" : ""
            try write([state.writer.statistics(from: state.began, to: Self.now, missing: missing, comment: comment)], &state)
            guard path != nil else { return }
            let isWritten = fsync(state.descriptor) == 0 || errno == EINVAL
            let isClosed = close(state.descriptor) == 0
            state.descriptor = -1
            guard isWritten, isClosed else { throw fault("cannot be written to its end") }
        }
    }

    /// How it went.
    func summary(_ why: String) -> CaptureSummary {
        state.withLock {
            CaptureSummary(
                file: path, packets: $0.packets, bytes: $0.bytes, suppressed: $0.counts.suppressed, lost: $0.counts.lost,
                undelivered: $0.counts.undelivered, why: why)
        }
    }

    /// Makes the file, or empties the one that is there, which nobody else may read from then on.
    private func make(_ path: String) throws -> Int32 {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw fault("cannot be written") }
        var about = stat()
        var isReady = unsafe fstat(descriptor, &about) == 0
        // Neither a pipe nor a device is of this capture alone.
        if isReady, about.st_mode & S_IFMT == S_IFREG {
            isReady = fchmod(descriptor, 0o600) == 0 && ftruncate(descriptor, 0) == 0
        }
        guard isReady else {
            defer { close(descriptor) }
            throw fault("cannot be kept for its owner alone")
        }
        return descriptor
    }

    /// Writes blocks in one go. Where a file takes only some bytes of them, what is behind its last whole block is cut off.
    private func write(_ blocks: [[UInt8]], _ state: inout State) throws {
        let bytes = Array(blocks.joined())
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(state.descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE {
                throw ReaderIsGone()
            } else if errno != EINTR {
                let fault = fault("cannot be written")
                var end = 0
                for block in blocks where end + block.count <= rest.startIndex { end += block.count }
                state.whole += Int64(end)
                // What is no file takes no part in this.
                if path != nil { _ = ftruncate(state.descriptor, Int(state.whole)) }
                throw fault
            }
        }
        state.whole += Int64(bytes.count)
    }

    private func fault(_ what: String) -> DaemonClient.Failure {
        DaemonClient.Failure(description: "\(name) \(what): \(unsafe String(cString: strerror(errno)))")
    }

    private var foreign: DaemonClient.Failure {
        DaemonClient.Failure(description: "the daemon's answer is not understood: it is of another version than this command")
    }

    /// Nanoseconds since 1970.
    private static var now: UInt64 { UInt64(max(0, Date().timeIntervalSince1970) * 1_000_000_000) }
}

/// Counts signals.
final class SignalCount: Sendable {
    private let seen = Atomic<Bool>(false)

    /// Whether this is the first one.
    var isFirst: Bool { !seen.exchange(true, ordering: .relaxed) }
}

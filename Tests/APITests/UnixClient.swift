// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport

/// A plain HTTP/1.1 client on a unix socket, one request a connection, so that the tests see bytes and not a library.
final class UnixClient: Sendable {
    private let descriptor: Int32

    /// Connects; `nil` when nobody listens.
    init?(_ path: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, socklen_t(110)) }
        }
        guard result == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        var patience = timeval(tv_sec: Int(longestWait / .seconds(1)), tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Sends a request without a body.
    func send(_ method: String, _ target: String, headers: [String] = ["Connection: close"]) {
        let text = (["\(method) \(target) HTTP/1.1", "Host: bulkhead"] + headers).joined(separator: "\r\n") + "\r\n\r\n"
        write(text)
    }

    /// Sends a request, with a body of JSON where there is one.
    func send(_ method: String, _ target: String, body: String?, headers: [String] = []) {
        var headers = ["Connection: close"] + headers
        if let body { headers += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
        send(method, target, headers: headers)
        if let body { write(body) }
    }

    /// Sends bytes as they are.
    func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    /// Reads until the server ends the connection; how many bytes came, and whether it did.
    func readToEnd() -> (count: Int, isEnded: Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var seen = 0
        while true {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            // A server that has more to say than its client takes may end with a reset.
            guard count > 0 else { return (seen, count == 0 || errno == ECONNRESET) }
            seen += count
        }
    }

    /// Whether the server has answered.
    var isAnswered: Bool {
        var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&wanted, 1, 0) > 0
    }

    /// Reads one whole answer: its status, its head and its body, as long as the head says.
    func answer() -> (status: Int, head: String, body: String) {
        let text = read { seen in
            guard let end = seen.range(of: "\r\n\r\n") else { return false }
            let length = Self.length(seen[..<end.lowerBound])
            return length.map { seen[end.upperBound...].utf8.count >= $0 } ?? false
        }
        let parts = text.components(separatedBy: "\r\n\r\n")
        let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return (status, parts[0], parts.dropFirst().joined(separator: "\r\n\r\n"))
    }

    private static func length(_ head: Substring) -> Int? {
        let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        return line.flatMap { Int($0.dropFirst("content-length:".count).drop { $0 == " " }) }
    }

    /// Reads until the text seen so far satisfies `done`, or the server is finished.
    func read(until done: ((String) -> Bool)? = nil) -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while done?(String(decoding: all, as: UTF8.self)) != true {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            all += buffer.prefix(count)
        }
        return String(decoding: all, as: UTF8.self)
    }
}

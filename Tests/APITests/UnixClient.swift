// SPDX-License-Identifier: Apache-2.0
import Glibc

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
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Sends a request without a body.
    func send(_ method: String, _ target: String, headers: [String] = ["Connection: close"]) {
        let text = (["\(method) \(target) HTTP/1.1", "Host: bulkhead"] + headers).joined(separator: "\r\n") + "\r\n\r\n"
        var bytes = Array(text.utf8)
        _ = unsafe write(descriptor, &bytes, bytes.count)
    }

    /// Reads until the text seen so far satisfies `done`, or the server is finished.
    func read(until done: (String) -> Bool = { _ in false }) -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !done(String(decoding: all, as: UTF8.self)) {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            all += buffer.prefix(count)
        }
        return String(decoding: all, as: UTF8.self)
    }
}

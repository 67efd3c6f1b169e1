// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A line to the machine's log, by one datagram that is never waited for.
struct Syslog: Sendable {
    /// Where the log daemon listens; `nil` for no syslog at all.
    let path: String?

    /// Facility authpriv (10), severity notice (5): RFC 5424, 6.2.1.
    private static let priority = 10 * 8 + 5

    /// What went wrong; `nil` where the daemon has the line.
    func send(_ line: String) -> String? {
        guard let path else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return "the path is too long" }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return unsafe String(cString: strerror(errno)) }
        defer { close(descriptor) }
        // The form that log daemons read on the local socket: no time, which they know better, and the process as its tag.
        let message = Array("<\(Self.priority)>bulkhead[\(getpid())]: \(line)".utf8)
        let sent = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe message.withUnsafeBytes { bytes in
                    unsafe sendto(
                        descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), address,
                        socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        return sent == message.count ? nil : unsafe String(cString: strerror(errno))
    }
}

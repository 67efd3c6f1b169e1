// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// What keeper tells the service manager that started it, if one did: when it is ready, that it lives, that it ends (sd_notify(3)).
/// A datagram to the socket that the environment names; who is not listened to says nothing.
struct ServiceNotice {
    private let path: [UInt8]
    /// How often the service manager wants a sign of life, in nanoseconds; 0 where it wants none.
    let watchdog: UInt64

    /// The service manager of an environment: `NOTIFY_SOCKET`, and `WATCHDOG_USEC` where it is meant for this process.
    init(_ variable: (String) -> String? = ServiceNotice.variable) {
        let socket = Array((variable("NOTIFY_SOCKET") ?? "").utf8)
        // A path, or a name that begins with a zero, written as @.
        let isNamed = socket.count > 1 && socket.count < 108 && [UInt8(ascii: "/"), UInt8(ascii: "@")].contains(socket[0])
        path = isNamed ? socket : []
        let isOurs = variable("WATCHDOG_PID").map { Int32($0) == getpid() } ?? true
        let microseconds = isOurs && isNamed ? variable("WATCHDOG_USEC").flatMap { UInt64($0) } ?? 0 : 0
        // An hour is as good as never.
        watchdog = min(microseconds, 3_600_000_000) * 1000
    }

    /// Tells something: lines of `NAME=value`.
    func tell(_ lines: String) {
        guard !path.isEmpty else { return }
        let socket = Glibc.socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            unsafe bytes.copyBytes(from: path)
            if path[0] == UInt8(ascii: "@") { unsafe bytes[0] = 0 }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let text = Array(lines.utf8)
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(socket, text, text.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }

    /// A variable of this process's environment.
    static func variable(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }
}

extension KeeperLoop {
    /// A sign of life, twice as often as it is wanted.
    func tendWatchdog(_ now: UInt64) {
        guard service.watchdog > 0, now &- lastNotice >= service.watchdog / 2 else { return }
        lastNotice = now
        service.tell("WATCHDOG=1")
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import Link

/// Keeps the lab away from ports that do work: a name that was typed wrong must cost nobody a connection. A port is free when it has no
/// address that somebody gave it, no route, no master, and no XDP program.
public enum PortGuard {
    /// Looks a port up and throws where it works for this host. `force` takes it nevertheless, all but the loopback.
    public static func free(_ name: String, force: Bool) throws -> Interface {
        let port = try Interface(named: name)
        if port.isLoopback { throw LabError.portInUse(port: name, work: "is this host's loopback") }
        if let work = work(of: port), !force { throw LabError.portInUse(port: name, work: work) }
        return port
    }

    /// What a port does for this host, in words; nil when nothing.
    private static func work(of port: Interface) -> String? {
        if port.master != 0 { return "belongs to a bridge or bond" }
        if port.xdpProgram != 0 { return "has an XDP program" }
        if hasAddress(port.name) { return "has an address" }
        if hasRoute(port.name) { return "is in a route" }
        return nil
    }

    /// Whether it has an address beside IPv6's own link-local one.
    private static func hasAddress(_ name: String) -> Bool {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&first) == 0 else { return true }
        defer { unsafe freeifaddrs(first) }
        var next = unsafe first
        while let entry = unsafe next {
            unsafe next = entry.pointee.ifa_next
            guard unsafe String(cString: entry.pointee.ifa_name) == name, let address = unsafe entry.pointee.ifa_addr else {
                continue
            }
            switch Int32(unsafe address.pointee.sa_family) {
            case AF_INET: return true
            case AF_INET6:
                // The C library allocated a whole sockaddr_in6; fe80::/10 is link-local (RFC 4291, 2.5.6).
                let bytes = unsafe UnsafeRawBufferPointer(start: UnsafeRawPointer(address) + 8, count: 2)
                if unsafe bytes[0] != 0xfe || bytes[1] & 0xc0 != 0x80 { return true }
            default: continue
            }
        }
        return false
    }

    /// Whether a route beside link-local and multicast ones leaves by it. Of the calling thread's namespace: /proc/net is the main thread's.
    private static func hasRoute(_ name: String) -> Bool {
        let old = lines(of: "/proc/thread-self/net/route").contains { $0.first == Substring(name) }
        let new = lines(of: "/proc/thread-self/net/ipv6_route").contains { row in
            guard row.last == Substring(name), let destination = row.first else { return false }
            return !destination.hasPrefix("fe80") && !destination.hasPrefix("ff")
        }
        return old || new
    }

    /// The lines of a file, in words.
    private static func lines(of path: String) -> [[Substring]] {
        guard let file = unsafe fopen(path, "re") else { return [] }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = unsafe fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
            $0.split { $0 == " " || $0 == "\t" }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package import Glibc

/// Nanoseconds of a clock.
package func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// A line of `/proc/self/status` in MiB: `VmHWM` (the most memory that was resident) or `VmRSS` (what is).
package func mebibytes(_ field: String) -> Double {
    guard let file = unsafe fopen("/proc/self/status", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while unsafe fgets(&line, Int32(line.count), file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard text.hasPrefix(field + ":") else { continue }
        let digits = text.filter { $0.isNumber }
        return (Double(digits) ?? 0) / 1_024
    }
    return 0
}

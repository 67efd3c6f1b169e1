// SPDX-License-Identifier: Apache-2.0
import CXDP
import Glibc
import Link
import Net
import Testing
import Wire

/// Everything that touches the kernel, one test at a time. Network namespaces belong to threads, so a test that stays on its thread
/// has one of its own, and leaves nothing behind: it ends with the test.
@Suite(.serialized, .enabled(if: getuid() == 0, "needs root: network namespaces and BPF")) enum Kernel {}

struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// What the firewall's reader makes of a frame; throws the reason where it refuses it.
func read(_ frame: [UInt8]) throws -> Reading {
    var reading = Reading()
    // A byte has no padding that a raw span could show.
    if let reason = unsafe Wire.read(frame.span.bytes, into: &reading) { throw Failure(description: "not readable: \(reason)") }
    return reading
}

/// What the firewall says about the transport's checksum.
func transportState(of frame: [UInt8], _ reading: Reading) -> ChecksumState {
    unsafe checksumState(of: PacketExtent(reading), in: frame.span.bytes, .shared)
}

/// The folded sum of an IPv4 header, which is 0xffff where its checksum is right (RFC 1071).
func networkSum(of frame: [UInt8], tagged: Bool) -> UInt32 {
    let start = tagged ? 18 : 14
    var sum: UInt32 = 0
    for place in stride(from: start, to: start + 20, by: 2) { sum += UInt32(frame[place]) << 8 + UInt32(frame[place + 1]) }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return sum
}

extension Interface {
    /// A port that nobody sends by.
    static var somewhere: Interface {
        get throws { try Interface(named: "lo") }
    }
}

/// Runs `body` in a fresh network namespace on the calling thread, and comes back. IPv6 is off there: its stack would put frames of
/// its own onto every wire.
@discardableResult
func inFreshNamespace<Result>(_ body: () throws -> Result) throws -> Result {
    let home = unsafe open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    defer { close(home) }
    guard home >= 0, cxdp_new_network_namespace() == 0 else { throw Failure(description: "no network namespace") }
    defer { precondition(cxdp_enter_network_namespace(home) == 0, "the test's thread cannot return") }
    let quiet = unsafe open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC)
    _ = unsafe write(quiet, "1", 1)
    close(quiet)
    return try body()
}

/// Makes the veth pair `a` and `b` in the thread's namespace, both up.
func makeWire(_ a: String, _ b: String) throws {
    let here = unsafe open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    defer { close(here) }
    guard unsafe cxdp_veth_create(a, b, here) == 0 else { throw Failure(description: "no veth") }
    for end in [a, b] { guard unsafe cxdp_interface_set_up(end, 1) == 0 else { throw Failure(description: "\(end) stays down") } }
}

// SPDX-License-Identifier: Apache-2.0
import CXDP
import Glibc
import Link
import TestSupport
import Testing

/// Everything that touches the kernel, one test at a time. Network namespaces belong to threads, so a test that stays on its thread
/// has one of its own, and leaves nothing behind: it ends with the test.
@Suite(.serialized, .enabled(if: getuid() == 0, "needs root: network namespaces, BPF and AF_XDP")) enum Kernel {}

/// Milliseconds that a test waits for a frame that must come.
let patience = Int(longestWait / .milliseconds(1))

struct Failure: Error, CustomStringConvertible {
    let description: String
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

/// Mounts a BPF file system of the test's own, and takes it away again.
@discardableResult
func withBPFFileSystem<Result>(_ body: (BPFFileSystem) throws -> Result) throws -> Result {
    let path = try temporaryFolder("bhk-bpf")
    defer { _ = unsafe rmdir(path) }
    guard unsafe cxdp_mount_bpffs(path) == 0 else { throw Failure(description: "no BPF file system at \(path)") }
    defer { _ = unsafe umount2(path, 2) }
    return try body(BPFFileSystem(root: path))
}

func temporaryFolder(_ prefix: String) throws -> String {
    var template = Array("/tmp/\(prefix)-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw Failure(description: "no folder in /tmp") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Runs a shell command in the calling thread's namespaces and gives back what it wrote to standard output, which is descriptor 3 there;
/// `descriptors` follow from 4.
@discardableResult
func shell(_ command: String, passing descriptors: [Int32] = []) throws -> String {
    var ends: [Int32] = [0, 0]
    guard unsafe pipe(&ends) == 0 else { throw Failure(description: "no pipe") }
    let child = try start("/bin/sh", ["sh", "-c", "exec >&3; \(command)"], passing: [ends[1]] + descriptors)
    close(ends[1])
    var output: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while case let count = unsafe read(ends[0], &piece, piece.count), count > 0 { output += piece[..<count] }
    close(ends[0])
    var status: Int32 = 0
    unsafe waitpid(child, &status, 0)
    guard status == 0 else { throw Failure(description: "`\(command)` ended with status \(status)") }
    return String(decoding: output, as: UTF8.self)
}

/// Starts a program by `cxdp_spawn`.
func start(_ path: String, _ arguments: [String], passing descriptors: [Int32] = []) throws -> Int32 {
    var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    let child = unsafe cxdp_spawn(path, &words, nil, descriptors, UInt32(descriptors.count))
    guard child > 0 else { throw Failure(description: "\(path) does not start: errno \(-child)") }
    return child
}

/// Kills a child and waits until it is gone.
func end(_ child: Int32) {
    kill(child, SIGKILL)
    waitpid(child, nil, 0)
}

/// Makes the veth pair `a` and `b`, one queue each, both up, in the thread's namespace.
func makeWire(_ a: String, _ b: String, queues: Int = 1) throws {
    let sizes = "numrxqueues \(queues) numtxqueues \(queues)"
    try shell("ip link add \(a) \(sizes) type veth peer name \(b) \(sizes)")
    for end in [a, b] { try shell("ip link set \(end) up") }
}

/// A raw packet socket on a port of the thread's namespace.
final class Tap {
    private let descriptor: Int32

    init(on port: String) throws {
        descriptor = socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0x0300)
        // struct sockaddr_ll: family, protocol (all, network order), index, and 12 bytes that bind(2) does not read.
        var address = [UInt8](repeating: 0, count: 20)
        let index = try Interface(named: port).index
        let number = (0..<4).map { UInt8(truncatingIfNeeded: index >> (8 * $0)) }
        address.replaceSubrange(0..<8, with: [UInt8(AF_PACKET), 0, 0, 3] + number)
        let bound = unsafe address.withUnsafeBytes {
            unsafe bind(descriptor, $0.bindMemory(to: sockaddr.self).baseAddress, 20)
        }
        guard descriptor >= 0, bound == 0 else { throw Failure(description: "no packet socket on \(port)") }
    }

    deinit { close(descriptor) }

    func send(_ frame: [UInt8]) {
        #expect(unsafe Glibc.send(descriptor, frame, frame.count, 0) == frame.count)
    }

    /// Whether `frame` arrives at this port.
    func receives(_ frame: [UInt8], within milliseconds: Int = patience) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4096)
        for _ in 0..<milliseconds {
            while case let count = unsafe recv(descriptor, &bytes, bytes.count, 0), count > 0 {
                if Array(bytes[..<count]) == frame { return true }
            }
            usleep(1000)
        }
        return false
    }
}

/// A frame of the smallest size with a type that no stack knows, and `mark` in its payload.
func frame(mark: UInt8) -> [UInt8] {
    [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5] + [UInt8](repeating: mark, count: 46)
}

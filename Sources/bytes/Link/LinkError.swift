// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What can go wrong between us and the kernel's network side. Each message says what to do next.
public enum LinkError: Error, Equatable, Sendable, CustomStringConvertible {
    /// There is no interface of this name in this network namespace.
    case noPort(name: String)
    /// Another XDP program (by its id) sits on the port.
    case foreignProgram(port: String, program: UInt32)
    /// The port's driver has no native XDP, and generic XDP was not asked for.
    case noNativeXDP(port: String, driver: String)
    /// The kernel refused the redirect program; `log` is what libbpf and the verifier said.
    case programRefused(errno: Int32, log: String)
    /// Something at this path below the BPF file system is not what its name says.
    case strangePin(path: String)
    /// No BPF file system is there, and none could be mounted.
    case noBPFFileSystem(path: String, errno: Int32)
    /// Zero-copy was demanded and the driver cannot do it, or not with this MTU.
    case noZeroCopy(port: String, queue: UInt32, errno: Int32)
    /// The queue still belonged to another socket after two seconds.
    case queueBusy(port: String, queue: UInt32)
    /// The UMEM cannot be pinned under the present limit on locked memory.
    case memoryLimit(port: String)
    /// A queue above those that the redirect program can serve.
    case tooManyQueues(port: String, queue: UInt32)
    /// The process lacks a capability for this.
    case privilege(doing: String, on: String)
    /// Any other refusal by the kernel.
    case refused(doing: String, on: String, errno: Int32)

    /// The message for an operator: what happened, and what to do next.
    public var description: String {
        switch self {
        case .noPort(let name):
            "there is no port \(name) in this network namespace: see `ip link`, and correct the pair's `ports`"
        case .foreignProgram(let port, let program):
            "another XDP program (id \(program)) is on \(port): see `bpftool net show dev \(port)`, then stop its owner or run "
                + "`ip link set dev \(port) xdp off`"
        case .noNativeXDP(let port, let driver):
            "the driver of \(port) (\(driver)) has no native XDP: set `xdp: generic` for the pair and accept that it is slower"
        case .programRefused(let errno, let log):
            "the kernel refused the redirect program (\(reason(errno)))\(log.isEmpty ? "" : ": \(log)"); Bulkhead needs Linux 6.1 "
                + "or later, CAP_BPF and CAP_NET_ADMIN"
        case .strangePin(let path):
            "\(path) is not what Bulkhead pins there: remove it with `rm` and start again"
        case .noBPFFileSystem(let path, let errno):
            "no BPF file system at \(path) (\(reason(errno))): run `mount -t bpf bpf /sys/fs/bpf`"
        case .noZeroCopy(let port, let queue, let errno):
            "\(port) cannot do zero-copy on queue \(queue) (\(reason(errno))): set `copy: auto`, or lower its MTU"
        case .queueBusy(let port, let queue):
            "queue \(queue) of \(port) belongs to another AF_XDP socket: find its owner with `ss -f xdp -p` and stop it"
        case .memoryLimit(let port):
            "the packet memory for \(port) cannot be locked: raise the limit (`ulimit -l unlimited`, systemd: LimitMEMLOCK=infinity)"
        case .tooManyQueues(let port, let queue):
            "queue \(queue) of \(port) is past the 64 that Bulkhead serves: run `ethtool -L \(port) combined 64`"
        case .privilege(let doing, let on):
            "\(doing) \(on) is not permitted: start as root, or with CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_SYS_ADMIN"
        case .refused(let doing, let on, let errno):
            "\(doing) \(on) failed: \(reason(errno))"
        }
    }
}

/// The C library's words for an error number.
package func reason(_ errno: Int32) -> String {
    // The pointer is valid until the next call in this thread; the string is copied out at once.
    guard let text = unsafe strerror(errno) else { return "error \(errno)" }
    return unsafe String(cString: text)
}

/// Turns a shim's -errno into an error; what is not negative passes through.
@discardableResult
func checked<Number: SignedInteger>(
    _ result: Number, _ doing: @autoclosure () -> String, _ on: @autoclosure () -> String
) throws(LinkError) -> Number {
    guard result < 0 else { return result }
    let number = Int32(-result)
    throw number == EPERM || number == EACCES
        ? .privilege(doing: doing(), on: on()) : .refused(doing: doing(), on: on(), errno: number)
}

// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Why something of the lab cannot be done. Each message says what to do next.
public enum LabError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The port does work for this host, and `work` says which.
    case portInUse(port: String, work: String)
    /// Another XDP program is on the port already.
    case foreignProgram(port: String)
    /// The port's driver has no native XDP.
    case noNativeXDP(port: String)
    /// The frame cannot be as short, or as long, as demanded; `fits` is what would do.
    case size(demanded: Int, fits: ClosedRange<Int>)
    /// Source and destination are of two address families.
    case families
    /// More flows than the source addresses have ports for.
    case tooManyFlows(demanded: Int, possible: Int)
    /// The kernel refused a program of the lab; `log` is what libbpf and the verifier said.
    case programRefused(name: String, errno: Int32, log: String)
    /// The process lacks a capability.
    case privilege(doing: String)
    /// Any other refusal by the kernel.
    case refused(doing: String, errno: Int32)

    /// The message for whoever measures: what happened, and what to do next.
    public var description: String {
        switch self {
        case .portInUse(let port, let work):
            "\(port) \(work), so the lab leaves it alone: name a port that nobody uses, or say --force if this host can lose it"
        case .foreignProgram(let port):
            "an XDP program is on \(port) already: see `bpftool net show dev \(port)`, and stop its owner"
        case .noNativeXDP(let port):
            "the driver of \(port) has no native XDP, without which there is nothing to measure: use another port"
        case .size(let demanded, let fits):
            "a frame of \(demanded) bytes cannot carry this: choose --size \(fits.lowerBound) to \(fits.upperBound)"
        case .families:
            "--source and --destination are of two address families: give both of one"
        case .tooManyFlows(let demanded, let possible):
            "\(demanded) flows do not fit: the source addresses have ports for \(possible); widen --source or lower --flows"
        case .programRefused(let name, let errno, let log):
            "the kernel refused the lab's \(name) (\(reason(errno)))\(log.isEmpty ? "" : ": \(log)"); the lab needs Linux 5.18 "
                + "or later, CAP_BPF and CAP_NET_ADMIN"
        case .privilege(let doing):
            "\(doing) is not permitted: run it as root, or with CAP_NET_ADMIN, CAP_BPF and CAP_SYS_ADMIN"
        case .refused(let doing, let errno):
            "\(doing) failed: \(reason(errno))"
        }
    }
}

/// The C library's words for an error number.
private func reason(_ errno: Int32) -> String {
    // The pointer is valid until the next call in this thread; the string is copied out at once.
    guard let text = unsafe strerror(errno) else { return "error \(errno)" }
    return unsafe String(cString: text)
}

/// Turns a shim's -errno into an error; what is not negative passes through.
@discardableResult
func checked(_ result: Int32, _ doing: @autoclosure () -> String) throws(LabError) -> Int32 {
    guard result < 0 else { return result }
    throw result == -EPERM || result == -EACCES ? .privilege(doing: doing()) : .refused(doing: doing(), errno: -result)
}

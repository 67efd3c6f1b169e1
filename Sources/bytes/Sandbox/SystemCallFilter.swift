// SPDX-License-Identifier: Apache-2.0
internal import CXDP

/// Which system calls a process may make from now on: a list of rules, and what becomes of a call that no rule names. The kernel
/// runs it as a small program before each call (seccomp(2)); it cannot be taken off again, and whoever the process starts inherits
/// it.
///
///     foreign architecture ─► the end
///     number ─► rule of that number ─► allowed, allowed for some arguments, refused with an error, or the end of the process
///            └► none ─► as `others` says
///
/// A call is looked up from the first rule to the last, but the kernel does so only once for each call that is allowed whatever its
/// arguments are (it keeps a bit map of them since Linux 5.11): what a worker calls in its loop costs nothing more.
public struct SystemCallFilter: Sendable, Equatable {
    /// What becomes of a call.
    public enum Answer: Sendable, Equatable {
        /// It is made.
        case allow
        /// It fails with this error, and the process goes on.
        case fail(Int32)
        /// The process ends by SIGSYS.
        case kill
    }

    /// What holds for the calls of one name.
    public enum Rule: Sendable, Equatable {
        /// The answer, whatever the arguments are.
        case always(String, Answer)
        /// It is made when the bits `mask` of its argument (the lower half of it, from 0) are one of `values`; else the answer.
        case only(String, argument: Int, mask: UInt32, values: [UInt32], otherwise: Answer)
    }

    /// The rules, the first of a name deciding.
    public var rules: [Rule]
    /// What becomes of all other calls.
    public var others: Answer

    /// A filter by its parts.
    public init(_ rules: [Rule], others: Answer) {
        self.rules = rules
        self.others = others
    }

    /// Rules that allow calls whatever their arguments are.
    public static func allowing(_ names: [String]) -> [Rule] { names.map { .always($0, .allow) } }

    /// Puts the filter over the calling thread and those that it starts, in `enforce`; in `log` every call is made, and what would
    /// have been refused is written to the kernel's log. Needs no_new_privs. Threads that run already go on as
    /// they are: it is put on before there are any.
    public func install(_ mode: SandboxMode) throws(SandboxError) {
        guard mode != .off else { return }
        let program = instructions(logsOnly: mode == .log)
        let result = unsafe cxdp_install_filter(program, UInt32(program.count))
        guard result == 0 else { throw .refused("a system call filter", errno: -result) }
    }
}

// The program. Classic BPF over `struct seccomp_data`: the call's number, the architecture, an address, six arguments of 8 bytes.

extension SystemCallFilter {
    /// Where things lie in what the program looks at, in bytes.
    private enum Place {
        static let number: UInt32 = 0
        static let architecture: UInt32 = 4
        /// The lower half of an argument on a little-endian machine.
        static func argument(_ index: Int) -> UInt32 { 16 + 8 * UInt32(index) }
    }

    /// Operations of classic BPF (linux/bpf_common.h): load a word, mask it, compare with a constant, end.
    private enum Operation {
        static let load: UInt64 = 0x20
        static let mask: UInt64 = 0x54
        static let isEqual: UInt64 = 0x15
        static let isAtLeast: UInt64 = 0x35
        static let end: UInt64 = 0x06
    }

    /// The least number of a call of the x32 kind, which 64-bit kernels may offer beside the usual ones on x86.
    private static let foreignNumbers: UInt32 = 0x4000_0000

    /// The filter as instructions, as `cxdp_install_filter` takes them.
    func instructions(logsOnly: Bool) -> [UInt64] {
        func end(_ answer: Answer) -> UInt64 { Self.instruction(Operation.end, Self.number(answer, logsOnly)) }
        var program = [
            Self.instruction(Operation.load, Place.architecture),
            Self.instruction(Operation.isEqual, cxdp_call_architecture(), yes: 1, no: 0),
            end(.kill),
            Self.instruction(Operation.load, Place.number),
            Self.instruction(Operation.isAtLeast, Self.foreignNumbers, yes: 0, no: 1),
            end(.kill),
        ]
        for rule in rules {
            switch rule {
            case .always(let name, let answer):
                guard let number = Self.callNumber(name) else { continue }
                program += [Self.instruction(Operation.isEqual, number, yes: 0, no: 1), end(answer)]
            case .only(let name, let argument, let mask, let values, let otherwise):
                guard let number = Self.callNumber(name) else { continue }
                var body = [
                    Self.instruction(Operation.load, Place.argument(argument)), Self.instruction(Operation.mask, mask),
                ]
                for value in values {
                    body += [Self.instruction(Operation.isEqual, value, yes: 0, no: 1), end(.allow)]
                }
                body.append(end(otherwise))
                program.append(Self.instruction(Operation.isEqual, number, yes: 0, no: UInt8(body.count)))
                program += body
            }
        }
        program.append(end(others))
        return program
    }

    /// The number of a call; `nil` for one that this architecture has not.
    static func callNumber(_ name: String) -> UInt32? {
        let number = unsafe cxdp_call_number(name)
        return number < 0 ? nil : UInt32(number)
    }

    private static func instruction(_ operation: UInt64, _ value: UInt32, yes: UInt8 = 0, no: UInt8 = 0) -> UInt64 {
        operation | UInt64(yes) << 16 | UInt64(no) << 24 | UInt64(value) << 32
    }

    /// An answer as the kernel has it (SECCOMP_RET_…).
    private static func number(_ answer: Answer, _ logsOnly: Bool) -> UInt32 {
        switch answer {
        case .allow: 0x7fff_0000
        case _ where logsOnly: 0x7ffc_0000
        case .fail(let code): 0x0005_0000 | UInt32(truncatingIfNeeded: code) & 0xffff
        case .kill: 0x8000_0000
        }
    }
}

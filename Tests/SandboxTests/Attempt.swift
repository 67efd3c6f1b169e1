// SPDX-License-Identifier: Apache-2.0
import Glibc

@testable import Sandbox

/// What somebody would try who has taken a process over, as directly as the kernel can be asked.
enum Attempt: String, CaseIterable, Codable, Sendable {
    case openAFile, connectByTCP, listenToNetlink, sniffFrames, startAProgram, fork, traceAProcess, loadAProgram, mount, readKeys
    case signalAnother, makeMemoryExecutable, mapExecutableMemory, enterANamespace, measureEverybody, giveAFileAway

    /// Does it. The error that the kernel gave, 0 where it let it happen.
    func make() -> Int32 {
        switch self {
        case .openAFile: error(Int(unsafe open("/etc/hostname", O_RDONLY)))
        case .connectByTCP: error(Int(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)))
        case .listenToNetlink: error(Int(socket(AF_NETLINK, Int32(SOCK_RAW.rawValue), 0)))
        case .sniffFrames: error(Int(socket(AF_PACKET, Int32(SOCK_RAW.rawValue), 0)))
        case .startAProgram: error(call("execve"))
        case .fork: error(call("clone", Int(SIGCHLD)))
        case .traceAProcess: error(call("ptrace"))
        case .loadAProgram: error(call("bpf"))
        case .mount: error(call("mount"))
        case .readKeys: error(call("keyctl"))
        case .signalAnother: error(Int(kill(getppid(), 0)))
        case .makeMemoryExecutable:
            error(
                Int(unsafe mprotect(mmap(nil, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096, PROT_READ | PROT_EXEC)))
        case .mapExecutableMemory:
            unsafe mmap(nil, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0
        case .enterANamespace: error(call("unshare", 0x1000_0000))
        case .measureEverybody: error(call("perf_event_open"))
        // To nobody else: what is asked is whether the call is made.
        case .giveAFileAway: error(Int(unsafe chown("/dev/null", .max, .max)))
        }
    }

    private func error(_ result: Int) -> Int32 { result < 0 ? errno : 0 }

    /// A system call by its name. `syscall` takes any number of arguments, which Swift cannot call; as a function of four words it
    /// can.
    private func call(_ name: String, _ first: Int = 0) -> Int {
        typealias Call = @convention(c) (Int, Int, Int, Int) -> Int
        guard let number = SystemCallFilter.callNumber(name), let symbol = unsafe dlsym(nil, "syscall") else { return -1 }
        return unsafe unsafeBitCast(symbol, to: Call.self)(Int(number), first, 0, 0)
    }
}

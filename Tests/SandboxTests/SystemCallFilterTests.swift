// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Sandbox

@Suite("System call filters") struct SystemCallFilterTests {
    /// Puts a filter over this thread and tries something; the exit code is the kernel's error. Not over the process's other threads,
    /// which belong to the test's libraries and may make any call at any moment.
    private static func attempt(_ attempt: Attempt, under filter: SystemCallFilter, _ mode: SandboxMode = .enforce) -> Never {
        do {
            try Privileges.drop(to: nil)
            try filter.install(mode)
        } catch {
            _exit(200)
        }
        // Not `exit`, which runs whatever the test's libraries want to do at the end.
        _exit(attempt.make())
    }

    @Test(arguments: Attempt.allCases.filter { ![.openAFile, .signalAnother].contains($0) })
    func `of the data process end it at each attempt on something else than its work`(_ attempt: Attempt) async {
        await #expect(processExitsWith: .signal(SIGSYS)) { [attempt] in Self.attempt(attempt, under: .data) }
    }

    @Test func `of the data process let it open no file`() async {
        await #expect(processExitsWith: .exitCode(EACCES)) { Self.attempt(.openAFile, under: .data) }
    }

    @Test func `of the data process end it where it asks for another process's signal`() async {
        await #expect(processExitsWith: .signal(SIGSYS)) { Self.attempt(.signalAnother, under: .data) }
    }

    @Test(arguments: [
        Attempt.startAProgram, .fork, .traceAProcess, .loadAProgram, .mount, .readKeys, .enterANamespace, .measureEverybody,
    ])
    func `of the control process end it where only an intruder would go`(_ attempt: Attempt) async {
        await #expect(processExitsWith: .signal(SIGSYS)) { [attempt] in Self.attempt(attempt, under: .control) }
    }

    @Test(arguments: [
        (Attempt.listenToNetlink, EAFNOSUPPORT), (.sniffFrames, EAFNOSUPPORT), (.signalAnother, EPERM),
        (.makeMemoryExecutable, EACCES),
        (.mapExecutableMemory, EACCES),
    ])
    func `of the control process refuse what is not needed, and let it go on`(_ attempt: Attempt, _ code: Int32) async {
        await #expect(processExitsWith: .exitCode(code)) { [attempt] in Self.attempt(attempt, under: .control) }
    }

    @Test(arguments: [Attempt.openAFile, .connectByTCP, .giveAFileAway])
    func `of the control process let it open files and connections, and give its socket to a group`(_ attempt: Attempt) async {
        await #expect(processExitsWith: .exitCode(0)) { [attempt] in Self.attempt(attempt, under: .control) }
    }

    @Test(arguments: [Attempt.traceAProcess, .mount, .readKeys, .enterANamespace, .measureEverybody])
    func `of keeper refuse the ways into other processes and into the kernel`(_ attempt: Attempt) async {
        await #expect(processExitsWith: .exitCode(EPERM)) { [attempt] in Self.attempt(attempt, under: .keeper) }
    }

    @Test func `only write down in the mode log, and do nothing in the mode off`() async {
        await #expect(processExitsWith: .exitCode(0)) { Self.attempt(.openAFile, under: .data, .log) }
        await #expect(processExitsWith: .exitCode(0)) { Self.attempt(.openAFile, under: .data, .off) }
    }

    @Test func `name calls that this machine has, but for those of old`() {
        let old: Set<String> = [
            "access", "alarm", "arch_prctl", "chmod", "chown", "creat", "dup2", "epoll_create", "epoll_wait", "fork", "getpgrp",
            "ioperm",
            "iopl", "link", "lstat", "mkdir", "open", "pause", "pipe", "poll", "readlink", "rename", "rmdir", "select", "stat",
            "symlink", "time", "unlink", "vfork",
        ]
        for filter in [SystemCallFilter.data, .control, .keeper] {
            for rule in filter.rules {
                let name =
                    switch rule {
                    case .always(let name, _), .only(let name, _, _, _, _): name
                    }
                #expect(SystemCallFilter.callNumber(name) != nil || old.contains(name), "\(name) has no number")
            }
        }
        #expect(SystemCallFilter.callNumber("no_such_call") == nil)
    }

    @Test func `end a process that calls as another architecture, and one without rules does as it says of others`() {
        let program = SystemCallFilter([], others: .fail(1)).instructions(logsOnly: false)
        // Load the architecture; go on if it is ours; the end.
        #expect(program[0] == 0x20 | 4 << 32)
        #expect(program[1] & 0xff_ffff == 0x01_0015)
        #expect(program[2] == UInt64(0x06) | UInt64(0x8000_0000) << 32)
        #expect(program.last == 0x06 | 0x0005_0001 << 32)
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Link
internal import Logging

extension KeeperLoop {
    /// Signals by which a process ends itself, or the kernel does because of what it did.
    static let faults = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSYS]

    /// SIGTERM or Ctrl-C: everything ends, and nothing stays that the configuration does not want to stay.
    func stop(because signal: String) {
        isStopping = true
        log.notice("\(signal): bulkhead stops; its ports do what `on-stop` says")
        service.tell("STOPPING=1")
        // Programs first: no frame is received any more that a worker would have to leave behind.
        for machine in machines { machine.stop() }
        try? dataChannel?.send(Message(.stop))
        for process in [data, formerData?.process].compactMap({ $0 }) {
            if process.wait(milliseconds: 1000) == nil { process.kill() }
            // By another signal it may have been ended together with this process.
            if KeeperLoop.faults.contains(process.signal) { log.error("data \(KeeperLoop.told(process.signal))") }
        }
        restorePorts()
        endControl()
        folder?.clear()
        folder?.release()
        log.notice("bulkhead has stopped")
        exitCode = 0
    }

    /// A start that failed: what was begun is taken back. A data process that ran before is left running.
    func abandon() {
        isStopping = true
        control?.kill()
        if formerData != nil {
            data?.kill()
            return
        }
        guard !isReady, hasBuilt else { return }
        data?.kill()
        for machine in machines { machine.takeBack() }
        restorePorts()
        // Programs of an earlier run that stay may be in a bypass: the next keeper is to end it in its time.
        folder?.clear(keepingBypass: true)
        folder?.release()
    }

    func endControl() {
        try? controlChannel?.send(Message(.stop))
        if let control, control.wait(milliseconds: 3000) == nil { control.kill() }
        control = nil
        controlChannel = nil
    }

    /// Another keeper asks to take over: control ends, data goes on, and this process lets go without touching anything.
    func hearKeeper(_ listener: Int32) throws {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        let channel = Channel(adopting: connection)
        guard let peer = channel.peer, peer.uid == 0 || peer.uid == getuid(), channel.isReadable(within: 1000),
            let message = try? channel.receive().message, message.kind == .takeOver
        else { return }
        guard areWorkersRunning else {
            log.warning("another keeper asked to take over before the workers run; it may ask again")
            return
        }
        guard canBeFollowed() else { return }
        log.notice("process \(peer.pid) takes over")
        isStopping = true
        endControl()
        dataChannel = nil
        folder?.release()
        try? channel.send(Message(.letGo))
        exitCode = 0
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Logging

// SIGUSR2: the binary on disk takes over. Keeper lets go as for another keeper, and becomes the new binary by exec, which then
// takes over from the data process as `bulkhead run --take-over` does. The process stays the same one, so that whoever started it
// (a service manager) goes on watching it. What this one has given up stays given up: the new binary starts with six capabilities,
// which is enough to take over.

extension KeeperLoop {
    /// The path of this process's binary, as it was at the start: an update puts another one there.
    static let binary: String? = {
        var room = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &room, room.count)
        guard count > 0 else { return nil }
        return String(decoding: room.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    /// Whether a keeper that comes after this one finds data. This one must not let go before.
    func canBeFollowed() -> Bool {
        if let data, folder?.note(data: data.pid) == true { return true }
        log.error("cannot hand over: which process is data cannot be written down in the run folder")
        return false
    }

    /// Becomes the binary on disk. Where there is none that can be run, or nothing to hand over yet, nothing happens.
    func upgrade() {
        guard let binary = KeeperLoop.binary, unsafe access(binary, X_OK) == 0 else {
            return log.error("cannot hand over: there is no binary at \(KeeperLoop.binary ?? "its place")")
        }
        guard areWorkersRunning, formerData == nil, !machines.isEmpty else {
            return log.warning("asked to hand over before the workers run; ask again")
        }
        guard canBeFollowed() else { return }
        log.notice("handing over to \(binary)")
        isStopping = true
        endControl()
        dataChannel = nil
        folder?.release()
        var words: [UnsafeMutablePointer<CChar>?] = unsafe [binary, "run", "--config", configuration, "--take-over"].map {
            (word: String) in unsafe strdup(word)
        }
        unsafe words.append(nil)
        // What this process keeps off, the next one would take for what it is not allowed.
        processors.hold()
        // Everything else is closed by exec.
        unsafe execv(binary, words)
        // Data forwards on; whoever starts bulkhead again takes it back.
        log.error("cannot become \(binary): error \(errno)")
        exitCode = 1
    }
}

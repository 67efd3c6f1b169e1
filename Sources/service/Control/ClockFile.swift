// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import Layout
internal import Logging
internal import ServiceLifecycle

/// The file `clock` of the state folder: by which second policy has expired at the latest, so that what has lapsed stays lapsed when the
/// machine starts with a clock that was set back. Two decimal numbers, the words of `ClockWord`.
struct ClockFile: Sendable {
    /// Seconds that may pass before the file is written anew.
    static let coarseness: UInt64 = 60

    let path: String

    /// The file of a state folder.
    init(stateFolder: String) { path = stateFolder + "/clock" }

    /// What the file says; zeros where there is none, or where it says something else.
    func read() -> ClockFacts {
        guard let data = FileManager.default.contents(atPath: path), let text = String(validating: data, as: UTF8.self) else {
            return ClockFacts()
        }
        let numbers = text.split(whereSeparator: \.isWhitespace).map { UInt64($0) }
        guard numbers.count == 2, let latest = numbers[0], let beforeLeap = numbers[1] else { return ClockFacts() }
        let facts = ClockFacts(latest: latest, beforeLeap: beforeLeap)
        return facts.isPossible ? facts : ClockFacts()
    }

    /// Puts other numbers in the place of the file's, or leaves it as it is.
    func write(_ facts: ClockFacts) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("\(facts.latest) \(facts.beforeLeap)\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}

/// Keeps the file of policy's clock up to date as long as control runs.
struct ClockSaver: Service {
    /// Time between two looks at the board.
    static let interval = Duration.seconds(5)

    let file: ClockFile
    let board: SharedMemory
    let log: Logger

    /// Looks until it is asked to end, and once more then.
    func run() async throws {
        var saving = Saving(saver: self, saved: file.read())
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            saving.save(after: ClockFile.coarseness)
            await cancelWhenGracefulShutdown { try? await Task.sleep(for: Self.interval) }
        }
        saving.save(after: 0)
    }

    /// What was written last, and whether somebody was told that it cannot be.
    private struct Saving {
        let saver: ClockSaver
        var saved: ClockFacts
        private var isReported = false

        init(saver: ClockSaver, saved: ClockFacts) { (self.saver, self.saved) = (saver, saved) }

        /// Writes what the board says where it is ahead by more than these seconds, or says something else.
        mutating func save(after seconds: UInt64) {
            // The board was checked to be as long as its layout says.
            let facts = unsafe Board(base: saver.board.base).clock
            let isNews = facts.latest > saved.latest &+ seconds || facts.latest < saved.latest
            guard facts.latest > 0, facts.isPossible, isNews || facts.beforeLeap != saved.beforeLeap else { return }
            do {
                try saver.file.write(facts)
                saved = facts
            } catch {
                guard !isReported else { return }
                isReported = true
                saver.log.warning(
                    "\(saver.file.path) cannot be written, so that the next start may not know what has lapsed: \(error)")
            }
        }
    }
}

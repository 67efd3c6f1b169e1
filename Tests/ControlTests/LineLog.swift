// SPDX-License-Identifier: Apache-2.0
import Logging
import Synchronization

/// Keeps what is logged, so that a test can wait for it.
final class LineLog: Sendable {
    private let said = Mutex<[String]>([])

    /// The lines so far.
    var lines: [String] { said.withLock { $0 } }

    /// What a logger writes with.
    var handler: Handler { Handler(log: self) }

    struct Handler: LogHandler {
        fileprivate let log: LineLog
        var logLevel = Logger.Level.info
        var metadata = Logger.Metadata()

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { log.said.withLock { $0.append(event.message.description) } }
    }
}

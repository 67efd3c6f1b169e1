// SPDX-License-Identifier: Apache-2.0

/// Something about the ground that a pair is to stand on: what was seen, why it matters, and the command that mends it.
public struct Finding: Sendable, Equatable, CustomStringConvertible {
    /// How bad it is.
    public enum Severity: String, Sendable, CaseIterable {
        /// The pair cannot work like this: do not start it.
        case error
        /// It works, but not as well as it could, or not for all traffic.
        case warning
        /// Worth knowing; nothing needs to be done.
        case note
    }

    /// What mends it.
    public enum Remedy: Sendable, Equatable {
        /// A shell command, as it is to be typed.
        case command(String)
        /// No command does: what a person can do instead.
        case advice(String)

        /// The command, where one does.
        public var command: String? {
            if case .command(let command) = self { command } else { nil }
        }
    }

    /// What kind of finding it is: a row of docs/doctor.md.
    public let code: Code
    /// How bad it is.
    public let severity: Severity
    /// The port that it is about; nil for the machine.
    public let port: String?
    /// What was seen.
    public let what: String
    /// Why that matters.
    public let why: String
    /// What mends it.
    public let remedy: Remedy

    /// A finding by its parts.
    public init(_ code: Code, _ severity: Severity, port: String? = nil, what: String, why: String, remedy: Remedy) {
        self.code = code
        self.severity = severity
        self.port = port
        self.what = what
        self.why = why
        self.remedy = remedy
    }

    /// One line for a log or a terminal.
    public var description: String {
        let advice =
            switch remedy {
            case .command(let command): "run `\(command)`"
            case .advice(let text): "no command mends it: \(text)"
            }
        return "\(port ?? "this machine"): \(what): \(why); \(advice) (\(code.rawValue))"
    }
}

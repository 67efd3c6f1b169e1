// SPDX-License-Identifier: Apache-2.0

/// Something about the ground that a pair is to stand on: what was seen, why it matters, and the command that mends it.
public struct Finding: Sendable, Equatable, CustomStringConvertible {
    /// How bad it is.
    public enum Severity: String, Sendable {
        /// The pair cannot work like this: do not start it.
        case refuse
        /// It works, but not as well as it could, or not for all traffic.
        case warn
    }

    /// How bad it is.
    public let severity: Severity
    /// The port that it is about.
    public let port: String
    /// What was seen.
    public let what: String
    /// Why that matters.
    public let why: String
    /// The command that mends it.
    public let remedy: String

    /// One line for a log or a terminal.
    public var description: String {
        "\(port): \(what): \(why); run `\(remedy)`"
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// How strictly processes are held to what they need (`sandbox` in the configuration).
@frozen public enum SandboxMode: UInt8, Sendable, CaseIterable {
    /// What is not allowed ends the process, or fails.
    case enforce = 0
    /// System calls that are not allowed are made and written to the kernel's log; files are not held back.
    case log
    /// Nothing is held back but what follows from users and capabilities.
    case off

    /// A mode by its word in the configuration and on the command line.
    public init?(word: some StringProtocol) {
        guard let mode = SandboxMode.allCases.first(where: { $0.word == word }) else { return nil }
        self = mode
    }

    /// The mode's word.
    public var word: String {
        switch self {
        case .enforce: "enforce"
        case .log: "log"
        case .off: "off"
        }
    }
}

/// Why a process could not take something away from itself. It does not go on then.
public enum SandboxError: Error, Equatable, CustomStringConvertible {
    /// The kernel said no.
    case refused(String, errno: Int32)

    /// A sentence with what to do next.
    public var description: String {
        switch self {
        case .refused(let what, let code):
            unsafe "the kernel refuses \(what) (\(String(cString: strerror(code)))): `sandbox: off` does without"
        }
    }
}

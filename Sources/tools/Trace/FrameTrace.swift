// SPDX-License-Identifier: Apache-2.0
package import Analysis
package import Net

/// A frame's way, step by step: what each step saw, what came of it, and how long it took.
public struct FrameTrace: Sendable {
    /// One step.
    package struct Step: Sendable {
        /// Its name: frame, reading, inside, checksum, zones, owners, flow, judgement, verdict.
        package var name: String
        /// What it saw, in words.
        package var words: String
        /// Nanoseconds that it takes; `nil` where nothing was measured.
        package var nanoseconds: Double?
        /// What it saw, by name.
        package var facts: [(String, JSONText)]

        init(_ name: String, _ words: String, nanoseconds: Double? = nil, _ facts: [(String, JSONText)] = []) {
            self.name = name
            self.words = words
            self.nanoseconds = nanoseconds
            self.facts = facts
        }
    }

    /// The frame.
    package var frame: [UInt8]
    /// Every step that it came to, in order.
    package internal(set) var steps: [Step] = []
    /// What became of it.
    package internal(set) var verdict = Verdict.drop(.unjudged)
    /// The flow that it has then, in the words of a replay, and how far that has come.
    package internal(set) var flow: (text: String, state: String)?
    /// What its sender is told, in words, frame by frame.
    package internal(set) var replies: [String] = []
    /// What policy says of the connection, tier by tier; `nil` where policy is not asked, and why in its place.
    package internal(set) var explanation: Explanation?
    package internal(set) var unasked: String?

    init(frame: [UInt8]) { self.frame = frame }
}

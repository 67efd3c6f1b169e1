// SPDX-License-Identifier: Apache-2.0
import TestSupport

/// Changes of a text that keep some of its structure: words come, go and trade places.
enum TextChange {
    /// The text with one to four changes; `words` are those that mean something to its reader.
    static func mutated(_ text: [UInt8], words: [String], _ random: inout PacketRandom) -> [UInt8] {
        var text = text
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let word = Array((words.randomElement(using: &random) ?? "").utf8)
            let start = Int.random(in: 0...text.count, using: &random)
            let end = min(text.count, start + Int.random(in: 0...12, using: &random))
            switch Int.random(in: 0..<4, using: &random) {
            case 0: text.insert(contentsOf: word, at: start)
            case 1: text.removeSubrange(start..<end)
            case 2: text.replaceSubrange(start..<end, with: word)
            default: text.insert(contentsOf: Array(text[start..<end]), at: Int.random(in: 0...text.count, using: &random))
            }
        }
        return text
    }
}

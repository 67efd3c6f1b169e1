// SPDX-License-Identifier: Apache-2.0
import State
import Testing

@Suite struct VisibleTexts {
    @Test(arguments: [
        ("plain", "plain"), ("Zoë 東京 🚢", "Zoë 東京 🚢"), ("a\nb\tc\0", "a\\u{a}b\\u{9}c\\u{0}"), ("\u{1B}[31m", "\\u{1b}[31m"),
        ("\u{202E}txt\u{2066}", "\\u{202e}txt\\u{2066}"), ("\u{2028}", "\\u{2028}"), ("\u{85}\u{9B}", "\\u{85}\\u{9b}"), ("", ""),
        ("\r\n", "\\u{d}\\u{a}"),
    ])
    func `what moves a cursor or turns a line is written out`(text: String, visible: String) {
        #expect(Visible.text(text, atMost: 1_000) == visible)
    }

    @Test func `what is too long is cut between scalars, within the limit`() {
        for text in ["x", "ä", "東", "🚢", "\n", "e\u{301}"] {
            let long = String(repeating: text, count: 1_000)
            for limit in 16...40 {
                let cut = Visible.text(long, atMost: limit)
                #expect(cut.utf8.count <= limit)
                #expect(cut.utf8.count > limit - 14)
                #expect(cut.hasSuffix("…"))
            }
        }
    }

    @Test func `what fits exactly is not cut, and what is visible stays as it is`() {
        let text = String(repeating: "x", count: 20)
        #expect(Visible.text(text, atMost: 20) == text)
        #expect(Visible.text(Visible.text("a\nb", atMost: 100), atMost: 100) == "a\\u{a}b")
    }
}

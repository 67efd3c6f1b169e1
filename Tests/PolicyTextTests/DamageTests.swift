// SPDX-License-Identifier: Apache-2.0
import Policy
import PolicyText
import TestSupport
import Testing

@Suite struct Damage {
    @Test func `damaged documents are read or refused, never more`() throws {
        let seed = UInt64.random(in: 0...999_999)
        print("seed \(seed)")
        var state = seed
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let documents = PolicySample.everything.split(separator: "---\n").map { Array($0.utf8) }
        let pieces = ["[", "]", "{", "}", ":", ",", "-", "&a", "*a", "!", "'", "\"", "#", "\n", "~", "9", "é", "\t", "?", "|"]
        var refused = 0
        for _ in 0..<10_000 {
            var bytes = documents[below(documents.count)]
            for _ in 0..<(1 + below(3)) {
                switch below(4) {
                case 0: bytes[below(bytes.count)] = UInt8(below(256))
                case 1: bytes.remove(at: below(bytes.count))
                case 2: bytes.insert(contentsOf: Array(pieces[below(pieces.count)].utf8), at: below(bytes.count))
                default: bytes.removeSubrange(below(bytes.count)..<bytes.count)
                }
                if bytes.isEmpty { bytes = [10] }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do throws(PolicyError) { _ = try PolicySet(try decode(text, file: "f")) } catch { refused += 1 }
        }
        #expect(refused > 5_000)
    }
}

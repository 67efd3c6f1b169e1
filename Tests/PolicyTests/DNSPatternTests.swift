// SPDX-License-Identifier: Apache-2.0
import Policy
import Testing

private let names: [(pattern: String, name: String, matches: Bool)] = [
    ("www.example.com", "www.example.com", true), ("www.example.com", "WWW.Example.COM.", true),
    ("www.example.com", "example.com", false), ("*.x.io", "a.x.io", true), ("*.x.io", "x.io", false),
    ("*.x.io", "b.a.x.io", false), ("**.x.io", "b.a.x.io", true), ("**.x.io", "a.x.io", true), ("**.x.io", "x.io", false),
    ("**", "anything.at.all", true), ("**", "com", true), ("a*.x.io", "abc.x.io", true), ("a*c.x.io", "abd.x.io", false),
    ("a*b*c", "axxbyyc", true), ("a*b*c", "axxc", false), ("a.**.z", "a.b.c.z", true), ("a.**.z", "a.z", false),
    ("*", "com", true), ("*", "a.com", false),
]

@Suite struct DNSPatterns {
    @Test(arguments: names) func `a star is part of one label, two are one or more labels`(
        pattern: String, name: String, matches: Bool
    ) throws {
        #expect(try #require(DNSPattern(pattern)).matches(name) == matches)
    }

    @Test(arguments: ["", ".", "a..b", "a b", "a.**b", "***", "é.com", String(repeating: "a", count: 64), "a/b"])
    func `what can be no name is no pattern`(text: String) {
        #expect(DNSPattern(text) == nil)
    }

    @Test func `a name without stars is exact`() throws {
        #expect(try #require(DNSPattern("A.b.")).isExact && !#require(DNSPattern("*.b")).isExact)
        #expect(try #require(DNSPattern("A.b.")).description == "a.b")
    }

    @Test func `many stars cost no more than their number times the name`() throws {
        let pattern = try #require(DNSPattern(String(repeating: "a*", count: 31) + "c"))
        #expect(!pattern.matches(String(repeating: "a", count: 62) + "b"))
        let many = try #require(DNSPattern(String(repeating: "**.", count: 60) + "x"))
        #expect(!many.matches(String(repeating: "a.", count: 100) + "y"))
    }
}

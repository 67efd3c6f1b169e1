// SPDX-License-Identifier: Apache-2.0
import Policy
import Testing

@Suite struct Spellings {
    @Test func `the nearest known word is suggested, and nothing far`() {
        #expect(Spelling.remedy("selectr", among: ["selector", "services"]) == "did you mean \"selector\"?")
        #expect(Spelling.remedy("form", among: ["from", "to"]) == "did you mean \"from\"?")
        #expect(Spelling.remedy("colour", among: ["from", "to"]) == nil)
        #expect(Spelling.remedy("x", among: ["to"]) == nil)
    }
}

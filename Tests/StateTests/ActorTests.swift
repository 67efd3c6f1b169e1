// SPDX-License-Identifier: Apache-2.0
import State
import Testing

@Suite struct Actors {
    @Test func `the daemon itself has no origin and no user`() {
        #expect(Actor.daemon("deadline") == Actor(kind: .daemon, name: "deadline"))
    }

    @Test(arguments: [
        (Actor.tester, "ada (uid 1000) at process 7"), (.daemon("deadline"), "bulkhead (deadline)"),
        (Actor(kind: .unix, name: "1000", uid: 1_000), "1000"),
        (Actor(kind: .certificate, name: "spiffe://x/y", origin: "[2001:db8::1]:4"), "spiffe://x/y at [2001:db8::1]:4"),
    ])
    func `somebody in words`(actor: Actor, text: String) { #expect(actor.text == text) }
}

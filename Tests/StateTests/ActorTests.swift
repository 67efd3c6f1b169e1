// SPDX-License-Identifier: Apache-2.0
import State
import Testing

@Suite struct Actors {
    @Test func `the daemon itself has no origin and no user`() {
        #expect(Actor.daemon("deadline") == Actor(kind: .daemon, name: "deadline"))
    }
}

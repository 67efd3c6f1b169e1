// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import Testing

@Suite struct Causes {
    @Test func `a side decides as its first layer that does not allow`() {
        let allow = Cause.Layer(layer: .zone, decision: .allow, end: .zones)
        let reject = Cause.Layer(layer: .network, decision: .reject, policy: "a/b", rule: "1")
        let deny = Cause.Layer(layer: .mesh, decision: .deny, end: .tier)
        let cause = Cause(side: .egress, layers: [allow, reject, deny])
        #expect(cause.decision == .reject && cause.deciding == reject)
        #expect(Cause(side: .ingress, layers: [allow]).deciding == allow)
    }

    @Test func `a cause is found by its record's number, and by no other`() {
        let cause = Cause(side: .egress, layers: [Cause.Layer(layer: .network, decision: .allow)])
        let table = CauseTable(generation: 4, causes: [cause], records: [(0, .max), (9, 0)])
        #expect(table.cause(ofRecord: 0) == cause && table.audit(ofRecord: 0) == nil)
        #expect(table.cause(ofRecord: 1) == nil && table.audit(ofRecord: 1) == cause)
        #expect(table.cause(ofRecord: 2) == nil && table.cause(ofRecord: .max) == nil)
    }
}

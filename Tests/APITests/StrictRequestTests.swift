// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import API

@Suite struct StrictRequests {
    /// The names of a request's stored properties, which are those of its JSON.
    private func names(_ request: Any) -> Set<String> { Set(Mirror(reflecting: request).children.compactMap(\.label)) }

    @Test func `a request may have every field that it reads, and no other`() {
        #expect(names(ApplyRequest(files: [])) == ApplyRequest.fields)
        #expect(names(ConfirmRequest()) == ConfirmRequest.fields)
        #expect(names(RollbackRequest()) == RollbackRequest.fields)
        #expect(names(RegisterRequest(files: [])) == RegisterRequest.fields)
        #expect(names(UpdateRequest()) == UpdateRequest.fields)
        #expect(names(BypassRequest(seconds: 1, reason: "x")) == BypassRequest.fields)
    }
}

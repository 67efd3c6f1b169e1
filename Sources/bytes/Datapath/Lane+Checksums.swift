// SPDX-License-Identifier: Apache-2.0
internal import Net

extension Lane {
    /// Checks the transport's checksum.
    @_noLocks
    mutating func verifyChecksum(_ index: Int) {}
}

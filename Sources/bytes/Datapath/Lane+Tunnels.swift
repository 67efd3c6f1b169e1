// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net

extension Lane {
    /// Reads what is inside of a tunnel, where policy judges that.
    @_noLocks @inline(never)
    mutating func enterTunnel(_ index: Int, by policy: borrowing PolicyInForce) {}

    /// The verdict on the tunnel around a frame whose inside is judged; `nil` where it may pass.
    @_noLocks @inline(never)
    mutating func judgeTunnel(_ index: Int, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict? { nil }
}

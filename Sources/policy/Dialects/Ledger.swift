// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// What a reader keeps beside the objects that it makes: what it had to leave out, and what has no effect.
struct Ledger {
    /// Whether what cannot be said in the native language may be left out.
    let isLossy: Bool
    /// What was left out though it has an effect.
    private(set) var losses: [PolicyError] = []
    /// What has no effect where it comes from either, or none on what may talk to what.
    private(set) var ignored: [PolicyError] = []

    init(isLossy: Bool) { self.isLossy = isLossy }

    /// Notes that something has no effect.
    mutating func ignore(_ place: Place, _ text: String) { ignored.append(PolicyError(place, text)) }

    /// Leaves something out that has an effect, or throws where nothing may be lost.
    mutating func lose(_ place: Place, _ text: String, remedy: String) throws(PolicyError) {
        guard isLossy else {
            let way = "leave it out with --lossy"
            throw PolicyError(place, text, remedy: remedy.hasSuffix("?") ? "\(remedy) Or \(way)" : "\(remedy), or \(way)")
        }
        losses.append(PolicyError(place, text))
    }
}

// SPDX-License-Identifier: Apache-2.0
public import Telemetry

/// What `POST /v1/policy/shadow` takes: a candidate, as `POST /v1/policy` takes a set, and how long it is judged.
public struct ShadowRequest: Codable, Hashable, Sendable {
    /// Seconds that a run may have, 1 second to 31 days.
    public static let lengths: ClosedRange<UInt32> = 1...2_678_400

    /// The documents: all of them, or all policies of `namespace`.
    public var files: [DocumentFile]
    /// Replaces only this namespace's policies; the whole set where absent.
    public var namespace: String?
    /// Seconds after which the run ends by itself.
    public var seconds: UInt32
    /// Whether foreign documents may lose what has no native form.
    public var lossy: Bool?
    /// Whether it is meant that the files hold no document, which takes all policies away.
    public var allowEmpty: Bool?
    /// Why.
    public var reason: String?
    /// A request for a whole set.
    public init(files: [DocumentFile], seconds: UInt32) {
        self.files = files
        self.seconds = seconds
    }
}

/// What `POST /v1/policy/shadow` answers.
public struct ShadowStart: Codable, Sendable {
    /// What the candidate would change, as a dry run of it says.
    public var change: ChangeReport
    /// The run that began.
    public var shadow: ShadowReport
    /// A run that began.
    public init(change: ChangeReport, shadow: ShadowReport) {
        self.change = change
        self.shadow = shadow
    }
}

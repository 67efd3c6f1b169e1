// SPDX-License-Identifier: Apache-2.0

/// What a generator is to send.
public struct GeneratorOrder: Sendable {
    /// What its frames look like.
    public var shape: FrameShape
    /// Flows at a time.
    public var flows = 1
    /// Share of the flows that is renewed in a second, 0 to 1000.
    public var newShare = 0.0
    /// Frames in a second; nil: as many as go.
    public var rate: Double?
    /// How long, in seconds; nil: until it is stopped.
    public var duration: Double?
    /// Frames in all; nil: no limit.
    public var frames: UInt64?

    /// Frames of a shape, one flow, without end.
    public init(_ shape: FrameShape) { self.shape = shape }
}

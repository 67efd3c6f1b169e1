// SPDX-License-Identifier: Apache-2.0

/// What becomes of a frame. A rule's action is not a verdict, nor is a connection's decision: see the glossary.
@frozen public enum Verdict: Equatable, Sendable {
    /// It leaves by the other port.
    case forward
    /// It ends here, for the reason that is counted.
    case drop(DropReason)
    /// It ends here and its sender is told; counted as dropped under its reason.
    case reject(DropReason)
    /// It waits for another frame, as a fragment without its first does.
    case hold
    /// A layer-7 program must see it before it is released.
    case inspect
}

extension Verdict {
    /// The verdict's name in records, logs and the API.
    public var name: String {
        switch self {
        case .forward: "forward"
        case .drop: "drop"
        case .reject: "reject"
        case .hold: "hold"
        case .inspect: "inspect"
        }
    }

    /// Why the frame ends here; `nil` where it does not.
    public var reason: DropReason? {
        switch self {
        case .drop(let reason), .reject(let reason): reason
        case .forward, .hold, .inspect: nil
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
public import Net

/// A frame that has not come: what it would be, where it would come in, and when.
public struct Hypothesis: Sendable {
    /// What the frame is.
    public enum Content: Sendable {
        /// One of a connection, to be made up; a TCP segment with these control bits, of SCTP an INIT where they are a SYN's.
        case of(Tuple, TCPFlags)
        /// These very bytes, from the first of the Ethernet header.
        case bytes([UInt8])
    }

    /// A port of a pair, by their numbers.
    public struct Port: Hashable, Sendable {
        /// The pair's number.
        public var pair: UInt8
        /// 0 or 1.
        public var port: UInt8

        /// A port.
        public init(pair: UInt8, port: UInt8) {
            self.pair = pair
            self.port = port
        }
    }

    /// The ends of the tunnel around the frame.
    public struct Ends: Hashable, Sendable {
        /// Who sends.
        public var source: Address
        /// Who receives.
        public var destination: Address

        /// Two ends.
        public init(source: Address, destination: Address) {
            self.source = source
            self.destination = destination
        }
    }

    /// What the frame is.
    public var content: Content
    /// The ends of the tunnel that the tuple names.
    public var around: Ends?
    /// The port that it comes in by; `nil` for one that lies in the source's zone.
    public var port: Port?
    /// The zone that the source is seen in; `nil` for its workload's first, and meaningless with a port.
    public var zoneFrom: String?
    /// The same for the destination.
    public var zoneTo: String?
    /// When, in unix seconds.
    public var time: UInt64

    /// A frame of a connection, its first unless the control bits say otherwise.
    public init(_ tuple: Tuple, flags: TCPFlags = .syn, time: UInt64) {
        content = .of(tuple, flags)
        self.time = time
    }

    /// A frame of these bytes.
    public init(frame: [UInt8], time: UInt64) {
        content = .bytes(frame)
        self.time = time
    }
}

/// Why a question cannot be answered.
public struct TraceError: Error, Sendable, CustomStringConvertible {
    /// One sentence, with what to do.
    public let description: String

    /// An error in a sentence.
    public init(_ description: String) { self.description = description }
}

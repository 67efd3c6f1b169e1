// SPDX-License-Identifier: Apache-2.0

/// What a port pair declares for the time in which no worker is there.
@frozen public enum FailMode: UInt8, Sendable, CaseIterable {
    /// Nothing passes.
    case closed = 0
    /// The kernel forwards from port to port, unjudged.
    case open = 1
}

/// The mode word of a port pair, which the XDP programs of both ports read for each frame. Block is 0, so that a map without a
/// value passes nothing.
@frozen public enum PortMode: UInt32, Sendable, CaseIterable {
    /// Every frame is dropped.
    case block = 0
    /// To the socket of the queue; without a socket the frame is dropped.
    case closed = 1
    /// To the socket of the queue; without a socket to the peer port.
    case open = 2
    /// To the peer port, sockets or not.
    case bypass = 3
}

/// What becomes of a connection.
@frozen public enum Decision: UInt8, Sendable, Codable, CaseIterable {
    /// It may pass.
    case allow = 0
    /// It is dropped without a word.
    case deny = 1
    /// It is dropped and its sender is told.
    case reject = 2

    /// The case's number. By hand, because a synthesised `rawValue` is closed to hot code of other modules; the cases are numbered
    /// from 0 in their order, which is how the compiler stores them, and a test pins it.
    @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
}

/// The place of a workload on the network, as a number of one appliance's snapshot. 0 is the implicit zone `default`.
public typealias ZoneNumber = UInt16

/// What policies can tell apart, as a number of one snapshot. 0 is an address that nobody claims.
public typealias ClassNumber = UInt32

// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Glibc

/// What the three processes say to each other over unix sockets (SOCK_SEQPACKET): one value of fixed size, with file descriptors
/// beside it where the kind says so. Nothing in it is parsed; every field is range-checked by its reader.
@frozen public struct Message: BitwiseCopyable, Sendable {
    /// What a message means, who sends it to whom, and what goes with it.
    @frozen public enum Kind: UInt32, Sendable, CaseIterable {
        /// Control to keeper, first of all: the plan wanted, of which folders, users and sandbox count here. Keeper answers
        /// `prepared`, or starts another control as the user that it names.
        case prepare = 1
        /// Keeper to control: the folders are there, and belong to whom they should; arguments: the `ProcessorSet` that control is to
        /// keep to, empty where it shares the processors of workers and gives way.
        case prepared
        /// Control to keeper: the plan wanted; arguments: the latest second of policy's clock that is known, and the one before its last
        /// leap (`ClockFacts`). Keeper answers `files`, or ends with its reason on standard error.
        case orders
        /// Keeper to control: descriptors of counters and board (readable), events and inquiries (readable and writable);
        /// arguments: last generation, last epoch ever published.
        case files
        /// Control to keeper, keeper to data: descriptors of a snapshot image and of an address map; arguments: generation, epoch.
        case publish
        /// Data to keeper, keeper to control: a generation is in force in every worker; arguments: generation.
        case inForce
        /// Data to keeper, keeper to control: an image or a map was refused by validation; arguments: generation.
        case refused
        /// Control to keeper: a sign of life.
        case alive
        /// Keeper to control: read the configuration's policies and workloads again (SIGHUP).
        case reload
        /// Keeper to control and data: end in good order.
        case stop
        /// Keeper to data: the plan and all descriptors, in the order of `DataFiles`; argument 0: 1 when the flow tables and the
        /// frames are taken over as they are (hand-over), 0 when every frame is free.
        case start
        /// Data to keeper: everything is mapped; the workers wait for `go`.
        case ready
        /// Keeper to data: stop the workers of a pair and close its sockets, because a port of it is gone; argument 0: the pair.
        case halt
        /// Data to keeper: no worker of the pair touches anything any more; argument 0: the pair.
        case halted
        /// Keeper to data: the plan and the sockets of a pair whose port is back; argument 0: the pair. Its frames are free, its
        /// flow tables stay, and its workers run. Data answers `running`.
        case rejoin
        /// Keeper to data: let the workers run.
        case go
        /// Data to keeper: the workers run; argument 0: of a pair that was halted, its number plus 1; 0 for all.
        case running
        /// Keeper to data: stop at the end of the turn.
        case park
        /// Data to keeper: no worker touches anything any more.
        case parked
        /// A new keeper to data: hand out the plan and all descriptors.
        case fetch
        /// Data to a new keeper: the answer, as `start`, then its listening socket, then snapshot and address map if there are any;
        /// argument 0: generation.
        case holdings
        /// A new keeper to an old one, over the run folder's socket: let go of data without stopping it.
        case takeOver
        /// The old keeper's answer: it has let go and ends.
        case letGo
        /// Control to keeper: for so many seconds from now every pair lets the kernel forward, unjudged; argument 0: the seconds,
        /// 1 to `longestBypass`, or 0 to end it now. Keeper alone holds the deadline; the board says until when.
        case bypass
    }

    /// The most seconds that one order of bypass may last: a day.
    public static let longestBypass: UInt64 = 86_400

    /// `BKHDMESG` as a little-endian number.
    public static let magicNumber: UInt64 = 0x4753_454d_4448_4b42

    /// `magicNumber`.
    public var magic: UInt64 = Message.magicNumber
    /// `MemoryHeader.currentVersion`: both ends come from builds with the same layout, or do not talk.
    public var version: UInt32 = MemoryHeader.currentVersion
    /// The kind's number.
    public var kindNumber: UInt32
    /// As the kind says.
    public var arguments: InlineArray<4, UInt64> = .init(repeating: 0)
    /// Valid for `orders`, `start` and `holdings`.
    public var plan = Plan()

    /// A message of a kind.
    public init(_ kind: Kind, _ first: UInt64 = 0, _ second: UInt64 = 0, plan: Plan = Plan()) {
        kindNumber = kind.rawValue
        arguments[0] = first
        arguments[1] = second
        self.plan = plan
    }

    /// The kind; `nil` for a number of another build.
    public var kind: Kind? { Kind(rawValue: kindNumber) }
}

/// Why a channel ended or could not be used.
public enum ChannelError: Error, Equatable, CustomStringConvertible {
    /// The other end is gone.
    case closed
    /// The system said no.
    case system(String, errno: Int32)
    /// What came is not a message of this build.
    case foreign

    /// A sentence with the cause.
    public var description: String {
        switch self {
        case .closed: "the other process has gone"
        case .system(let what, let code): unsafe "\(what): \(String(cString: strerror(code)))"
        case .foreign: "the other process speaks another version; stop it and start this one without --take-over"
        }
    }
}

/// One end of a connection between two of the processes. Closed with its owner.
public final class Channel: @unchecked Sendable {
    /// The socket, for poll.
    public let descriptor: Int32

    /// Takes over a connected socket.
    public init(adopting descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Both ends of a new connection, each close-on-exec.
    public static func pair() throws(ChannelError) -> (Channel, Channel) {
        var ends: (Int32, Int32) = (-1, -1)
        let result = unsafe withUnsafeMutablePointer(to: &ends) { pointer in
            unsafe pointer.withMemoryRebound(to: Int32.self, capacity: 2) { array in
                unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, array)
            }
        }
        guard result == 0 else { throw .system("cannot make a socket pair", errno: errno) }
        return (Channel(adopting: ends.0), Channel(adopting: ends.1))
    }

    /// From now on a message that the other end leaves no room for is refused with EAGAIN, and nobody is waited for.
    public func neverWait() { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }

    /// Sends a message and descriptors, which stay the caller's.
    public func send(_ message: Message, descriptors: [Int32] = []) throws(ChannelError) {
        var copy = message
        let size = MemoryLayout<Message>.size
        let sent = unsafe withUnsafeBytes(of: &copy) { bytes in
            unsafe cxdp_send_message(descriptor, bytes.baseAddress, size, descriptors, UInt32(descriptors.count))
        }
        guard sent >= 0 else {
            let code = Int32(-sent)
            if code == EPIPE || code == ECONNRESET { throw .closed }
            throw .system("cannot send to another process", errno: code)
        }
    }

    /// Waits for the next message; its descriptors are the caller's from now on.
    public func receive() throws(ChannelError) -> (message: Message, descriptors: [Int32]) {
        var message = Message(.alive)
        var descriptors = [Int32](repeating: -1, count: Int(CXDP_MESSAGE_DESCRIPTORS))
        var count: UInt32 = 0
        let size = MemoryLayout<Message>.size
        let received = unsafe withUnsafeMutableBytes(of: &message) { bytes in
            unsafe cxdp_receive_message(descriptor, bytes.baseAddress, size, &descriptors, UInt32(descriptors.count), &count)
        }
        let got = Array(descriptors.prefix(Int(count)))
        if received == 0 { throw .closed }
        guard received > 0 else {
            let code = Int32(-received)
            if code == ECONNRESET { throw .closed }
            // Longer than any of ours, or with more descriptors: the descriptors are closed already.
            if code == EMSGSIZE || code == EBADMSG { throw .foreign }
            throw .system("cannot hear another process", errno: code)
        }
        guard received == size, message.magic == Message.magicNumber, message.version == MemoryHeader.currentVersion else {
            for descriptor in got { close(descriptor) }
            throw .foreign
        }
        return (message, got)
    }

    /// Whether a message, or the end, can be received within the given time.
    public func isReadable(within milliseconds: Int32) -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe Glibc.poll(&poll, 1, milliseconds) > 0
    }

    /// Process and user at the other end.
    public var peer: (pid: Int32, uid: UInt32)? {
        var pid: Int32 = 0
        var (uid, gid): (UInt32, UInt32) = (0, 0)
        return unsafe cxdp_peer_credentials(descriptor, &pid, &uid, &gid) == 0 ? (pid, uid) : nil
    }
}

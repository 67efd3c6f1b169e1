// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Real traffic from source to sink while the forwarder works. A socket belongs to the namespace in which it was made, so they are made
/// there and used from here.
extension TestBench {
    private static let port: UInt16 = 4000

    /// Sends numbered datagrams of growing size; how many arrive as they were sent.
    func sendDatagrams(_ count: Int, within milliseconds: Int = 1000) throws -> Int {
        let receiver = try sink.visit { try TestSocket(SOCK_DGRAM) }
        try receiver.bind(Self.sinkAddress, Self.port)
        let sender = try source.visit { try TestSocket(SOCK_DGRAM) }
        try sender.connect(Self.sinkAddress, Self.port)
        let sent = (0..<count).map { number in
            [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1 + number * 1471 / max(1, count - 1))
        }
        for datagram in sent { _ = sender.send(datagram[...]) }
        var arrived = 0
        _ = turn(within: milliseconds) {
            while let datagram = receiver.receive() { arrived += sent.contains(datagram) ? 1 : 0 }
            return arrived == count
        }
        return arrived
    }

    /// Opens a TCP connection, sends this many bytes and has them sent back; how many came back as they were sent.
    func echo(_ count: Int, within milliseconds: Int) throws -> Int {
        let listener = try sink.visit { try TestSocket(SOCK_STREAM) }
        try listener.bind(Self.sinkAddress, Self.port)
        try listener.listen()
        let client = try source.visit { try TestSocket(SOCK_STREAM) }
        try client.connect(Self.sinkAddress, Self.port)
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var (toSend, back): (ArraySlice<UInt8>, [UInt8]) = (content[...], [])
        var (server, toReturn): (TestSocket?, ArraySlice<UInt8>) = (nil, [])
        _ = turn(within: milliseconds) {
            server = server ?? listener.accept()
            toSend = toSend.dropFirst(client.send(toSend.prefix(1 << 16)))
            if let server {
                if toReturn.count < 1 << 16, let part = server.receive() { toReturn += part }
                toReturn = toReturn.dropFirst(server.send(toReturn))
            }
            if let part = client.receive() { back += part }
            return back.count >= count
        }
        return zip(back, content).prefix { $0 == $1 }.count
    }

    /// Sends a frame with two VLAN tags that is as long as a port of MTU 1500 lets pass; whether AF_XDP gets it byte for byte.
    func sendTagged() throws -> Bool {
        let ends: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]
        let frame = ends + [0x81, 0, 0, 100, 0x81, 0, 0, 7, 0x88, 0xb5] + [UInt8](repeating: 0xa5, count: 1496)
        let index = try source.visit { try Interface(named: Self.sourceEnd).index }
        let sender = try source.visit { try TestSocket(packetsOn: index) }
        watch(for: frame)
        guard sender.send(frame[...]) == frame.count else { return false }
        return turn(within: 500) { hasFound }
    }
}

/// A socket that never waits.
final class TestSocket {
    private let socket: FileDescriptor

    /// A socket for IPv4 in the calling thread's namespace.
    init(_ type: __socket_type) throws(LinkError) {
        let flags = Int32(type.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = Glibc.socket(AF_INET, flags, 0)
        socket = FileDescriptor(owning: try checked(number < 0 ? -errno : number, "making", "a socket"))
        var on: Int32 = 1
        unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, 4)
    }

    /// A packet socket that sends whole frames by a port.
    init(packetsOn index: UInt32) throws(LinkError) {
        let flags = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = Glibc.socket(AF_PACKET, flags, 0)
        socket = FileDescriptor(owning: try checked(number < 0 ? -errno : number, "making", "a packet socket"))
        // struct sockaddr_ll: family, protocol (none: it only sends), index, and 12 bytes that bind(2) does not read.
        var address = [UInt8](repeating: 0, count: 20)
        address[0] = UInt8(AF_PACKET)
        for place in 0..<4 { address[4 + place] = UInt8(truncatingIfNeeded: index >> (8 * place)) }
        let answer = unsafe address.withUnsafeBytes {
            unsafe Glibc.bind(number, $0.bindMemory(to: sockaddr.self).baseAddress, 20)
        }
        try checked(answer < 0 ? -errno : answer, "binding", "a packet socket")
    }

    private init(owning number: Int32) { socket = FileDescriptor(owning: number) }

    /// struct sockaddr_in: family in host order, port and address in network order.
    private static func place(_ address: UInt32, _ port: UInt16) -> [UInt8] {
        let family = UInt16(AF_INET)
        var bytes = [UInt8(truncatingIfNeeded: family), UInt8(family >> 8), UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
        if 1.bigEndian == 1 { bytes.swapAt(0, 1) }
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: address >> UInt32(shift))) }
        return bytes + [UInt8](repeating: 0, count: 8)
    }

    func bind(_ address: UInt32, _ port: UInt16) throws(LinkError) {
        let answer = unsafe Self.place(address, port).withUnsafeBytes {
            unsafe Glibc.bind(socket.number, $0.bindMemory(to: sockaddr.self).baseAddress, 16)
        }
        try checked(answer < 0 ? -errno : answer, "binding", "a socket")
    }

    /// Connects, or begins to.
    func connect(_ address: UInt32, _ port: UInt16) throws(LinkError) {
        let answer = unsafe Self.place(address, port).withUnsafeBytes {
            unsafe Glibc.connect(socket.number, $0.bindMemory(to: sockaddr.self).baseAddress, 16)
        }
        if answer < 0, errno != EINPROGRESS { try checked(-errno, "connecting", "a socket") }
    }

    func listen() throws(LinkError) {
        let answer = Glibc.listen(socket.number, 1)
        try checked(answer < 0 ? -errno : answer, "listening on", "a socket")
    }

    /// The next connection, if there is one.
    func accept() -> TestSocket? {
        let number = Glibc.accept(socket.number, nil, nil)
        guard number >= 0 else { return nil }
        _ = fcntl(number, F_SETFL, O_NONBLOCK)
        return TestSocket(owning: number)
    }

    /// Sends what goes; how much went.
    func send(_ bytes: ArraySlice<UInt8>) -> Int {
        guard !bytes.isEmpty else { return 0 }
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(socket.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        return max(0, count)
    }

    /// What has come, if anything has.
    func receive() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe recv(socket.number, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes[..<count]) : nil
    }
}

// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import TestSupport
import Testing

// The little world of these tests: a client, a web server and a database, each with an address of both families; a house that two
// claim, and strangers whom nobody knows.
//
//     client 10.0.0.1 fd00::1    web 10.0.0.2 fd00::2    db 10.0.0.3 fd00::3    contested 10.0.0.50    strangers 10.0.0.200 on
//
// The web server lets the client in to TCP 443 and 5000 to 5999, UDP 53 and echo requests, rejects TCP 80 and denies the rest. The
// database lets nobody in. Nothing judges what goes to the client or to strangers.

let client: Address = "10.0.0.1"
let web: Address = "10.0.0.2"
let db: Address = "10.0.0.3"
let client6: Address = "fd00::1"
let web6: Address = "fd00::2"
let contested: Address = "10.0.0.50"
let stranger: Address = "10.0.0.200"
let otherStranger: Address = "10.0.0.201"

/// Label sets of the inventory.
let (clients, webs, databases, guests): (UInt32, UInt32, UInt32, UInt32) = (0, 1, 2, 3)
/// Workloads of the inventory.
let (clientWorkload, webWorkload, databaseWorkload): (UInt32, UInt32, UInt32) = (70, 71, 72)

extension SmallPolicy {
    /// The policy of the town. `change` may add to it.
    static func town(generation: UInt32 = 1, _ change: (inout SmallPolicy) -> Void = { _ in }) -> SmallPolicy {
        var policy = SmallPolicy(generation: generation)
        let (client, web, db) = (ownClass(clients), ownClass(webs), ownClass(databases))
        let range = ServiceKey(.tcp, port: 5000).rawValue...ServiceKey(.tcp, port: 5999).rawValue
        for services in [ServiceKey.tcp(443), range, ServiceKey.udp(53)] + ServiceKey.echo {
            policy.ingress(of: web, from: client, services)
        }
        policy.ingress(of: web, from: client, ServiceKey.tcp(80), rejected)
        policy.ingress(of: web, from: anyone, 0...0, denied)
        policy.ingress(of: db, from: anyone, 0...0, denied)
        change(&policy)
        return policy
    }
}

/// Enters the town's workloads.
func settle(_ addresses: MappedAddresses) throws {
    for (number, set) in [(1, clients), (2, webs), (3, databases)] as [(UInt64, UInt32)] {
        let workload = clientWorkload + set
        try addresses.writer.claim(Address(v4: 0x0a00_0000 | UInt32(number)), labelSet: set, workload: workload)
        try addresses.writer.claim(Address(high: 0xfd00 << 48, low: number), labelSet: set, workload: workload)
    }
    try addresses.writer.claim(contested, labelSet: webs, workload: 80)
    try addresses.writer.claim(contested, labelSet: webs, workload: 81)
}

/// The frames of a TCP connection over IPv4, by default between client and web server.
struct Connection {
    var from = client
    var to = web
    var source: UInt16 = 40000
    var port: UInt16 = 443

    var syn: Packet { Ethernet() / IPv4(from: from, to: to) / TCP(from: source, to: port, [.syn], sequence: 100, windowScale: 7) }
    var synAck: Packet { back([.syn, .ack], sequence: 900, acknowledgement: 101) }
    var ack: Packet { there([.ack], sequence: 101, acknowledgement: 901) }
    /// The responder's acknowledgement of the handshake, as its end sends it again when asked whether it lives.
    var bareAnswer: Packet { back([.ack], sequence: 901, acknowledgement: 101) }
    var request: Packet { there([.ack, .psh], sequence: 101, acknowledgement: 901) / Payload("GET /") }
    var answer: Packet { back([.ack, .psh], sequence: 901, acknowledgement: 106) / Payload("200") }
    var reset: Packet { there([.rst, .ack], sequence: 106, acknowledgement: 904) }

    private func there(_ flags: TCPFlags, sequence: UInt32, acknowledgement: UInt32) -> Packet {
        Ethernet() / IPv4(from: from, to: to)
            / TCP(from: source, to: port, flags, sequence: sequence, acknowledgement: acknowledgement)
    }

    private func back(_ flags: TCPFlags, sequence: UInt32, acknowledgement: UInt32) -> Packet {
        Ethernet() / IPv4(from: to, to: from)
            / TCP(from: port, to: source, flags, sequence: sequence, acknowledgement: acknowledgement)
    }
}

extension PairBench {
    /// Opens a connection by a handshake; the initiator is behind the first port unless another is named.
    func establish(_ connection: Connection = Connection(), port: Int = 0) throws {
        try expectForwarded(connection.syn, port: port)
        try expectForwarded(connection.synAck, port: 1 - port)
        try expectForwarded(connection.ack, port: port)
    }
}

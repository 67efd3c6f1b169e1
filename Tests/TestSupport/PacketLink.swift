// SPDX-License-Identifier: Apache-2.0
public import Net

/// An Ethernet II header.
public struct Ethernet: PacketLayer {
    /// Hardware addresses, as the frame goes.
    public var source, destination: MACAddress
    /// The ether type; `nil` for the next layer's.
    public var type: UInt16?

    /// A header between two hardware addresses.
    public init(
        from source: MACAddress = "02:00:00:00:00:01", to destination: MACAddress = "02:00:00:00:00:02", type: UInt16? = nil
    ) {
        self.source = source
        self.destination = destination
        self.type = type
    }

    /// What announces it to a tunnel: transparent Ethernet bridging.
    public var etherType: UInt16? { 0x6558 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        wire(destination) + wire(source) + wire(type ?? typeOrLength(of: next, payload)) + payload
    }

    /// The layer in a word or two.
    public var description: String { "Ethernet(\(source) > \(destination))" }
}

/// A VLAN tag.
public struct VLAN: PacketLayer {
    /// VLAN identifier, 0 to 4095.
    public var identifier: UInt16
    /// Priority, 0 to 7.
    public var priority: UInt16
    /// The tag's own ether type.
    public var tagType: UInt16
    /// The ether type behind the tag; `nil` for the next layer's.
    public var type: UInt16?

    /// A tag; 0x8100 unless another tag type is given.
    public init(_ identifier: UInt16, priority: UInt16 = 0, tagType: UInt16 = 0x8100, type: UInt16? = nil) {
        self.identifier = identifier
        self.priority = priority
        self.tagType = tagType
        self.type = type
    }

    /// What announces it to Ethernet.
    public var etherType: UInt16? { tagType }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        wire(priority << 13 | identifier) + wire(type ?? typeOrLength(of: next, payload)) + payload
    }

    /// The layer in a word or two.
    public var description: String { "VLAN(\(identifier))" }
}

/// An ARP message.
public struct ARP: PacketLayer {
    /// 1 for a request, 2 for a reply.
    public var operation: UInt16
    /// Protocol addresses.
    public var sender, target: Address
    /// Hardware addresses.
    public var senderMAC, targetMAC: MACAddress
    /// Hardware and protocol type: 1 and 0x0800.
    public var hardware, network: UInt16
    /// Lengths of the addresses: 6 and 4.
    public var hardwareLength, networkLength: UInt8

    /// A message; a request, unless another operation is given.
    public init(
        _ operation: UInt16 = 1, from sender: Address = "10.0.0.1", at senderMAC: MACAddress = "02:00:00:00:00:01",
        to target: Address = "10.0.0.2", at targetMAC: MACAddress = "00:00:00:00:00:00", hardware: UInt16 = 1,
        network: UInt16 = 0x0800, hardwareLength: UInt8 = 6, networkLength: UInt8 = 4
    ) {
        self.operation = operation
        self.sender = sender
        self.target = target
        self.senderMAC = senderMAC
        self.targetMAC = targetMAC
        self.hardware = hardware
        self.network = network
        self.hardwareLength = hardwareLength
        self.networkLength = networkLength
    }

    /// What announces it to Ethernet.
    public var etherType: UInt16? { 0x0806 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network layer: (any NetworkLayer)?) -> [UInt8] {
        let format = wire(hardware) + wire(network) + [hardwareLength, networkLength]
        return format + wire(operation) + wire(senderMAC) + wire(sender) + wire(targetMAC) + wire(target) + payload
    }

    /// The layer in a word or two.
    public var description: String { "ARP(\(operation), \(sender) > \(target))" }
}

/// Bytes that no layer describes, with the number by which the layer before announces them.
public struct Raw: PacketLayer {
    /// The bytes.
    public var content: [UInt8]
    /// What announces it to Ethernet.
    public var etherType: UInt16?
    /// What announces it to IP.
    public var protocolNumber: UInt8?

    /// Bytes as they are.
    public init(_ content: [UInt8], etherType: UInt16? = nil, protocolNumber: UInt8? = nil) {
        self.content = content
        self.etherType = etherType
        self.protocolNumber = protocolNumber
    }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        content + payload
    }

    /// The layer in a word or two.
    public var description: String { "Raw(\(content.count))" }
}

/// What a transport carries.
public struct Payload: PacketLayer {
    /// The bytes.
    public var content: [UInt8]

    /// A text's bytes.
    public init(_ text: String) { content = Array(text.utf8) }
    /// The given bytes.
    public init(_ content: [UInt8]) { self.content = content }
    /// So many bytes of one value.
    public init(count: Int, of byte: UInt8 = 0x61) { content = [UInt8](repeating: byte, count: count) }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        content + payload
    }

    /// The layer in a word or two.
    public var description: String { "Payload(\(content.count))" }
}

/// Bytes behind the packet that belong to the frame only: no length inside counts them. Stands last.
public struct Padding: PacketLayer {
    private let count: Int
    private let frame: Int

    /// So many zero bytes.
    public init(_ count: Int) {
        self.count = count
        frame = 0
    }

    /// As many as the frame lacks of a length.
    public init(to frame: Int) {
        count = 0
        self.frame = frame
    }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        payload + [UInt8](repeating: 0, count: max(count, frame - payload.count))
    }

    /// The layer in a word or two.
    public var description: String { frame > 0 ? "Padding(to: \(frame))" : "Padding(\(count))" }
}

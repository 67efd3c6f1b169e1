// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// What Bulkhead changes on a port: whether it is up, and whether it is promiscuous.
extension Interface {
    /// Sets the port up or down, as `ip link set` does.
    public func setUp(_ up: Bool) throws(LinkError) {
        try checked(unsafe cxdp_interface_set_up(name, up ? 1 : 0), up ? "setting up" : "setting down", name)
    }

    /// Makes the port take frames for any address, which a port in the middle of a wire must. Returns what takes it back: a port
    /// that was promiscuous before stays so. Keep it and call `restore()` when the pair is taken down.
    public func becomePromiscuous() throws(LinkError) -> PromiscuousPort {
        let before = try Interface(named: name).isPromiscuous
        if !before {
            try checked(unsafe cxdp_interface_change_flags(name, UInt32(IFF_PROMISC), 0), "making promiscuous", name)
        }
        return PromiscuousPort(name: name, wasPromiscuous: before)
    }

    /// Whether an offload is on; nil when the driver does not say.
    public func offload(_ offload: Offload) -> Bool? {
        let answer = unsafe cxdp_interface_offload(name, offload.rawValue)
        return answer < 0 ? nil : answer == 1
    }
}

/// A port that was made promiscuous, and what it was before. A plain value: it can be written down and come back in another process.
public struct PromiscuousPort: Sendable, Equatable {
    /// The port's name.
    public let name: String
    /// What it was before; then there is nothing to restore.
    public let wasPromiscuous: Bool

    /// A port by its name and former state.
    public init(name: String, wasPromiscuous: Bool) {
        self.name = name
        self.wasPromiscuous = wasPromiscuous
    }

    /// Puts the former state back. A port that is gone is restored by being gone.
    public func restore() throws(LinkError) {
        guard !wasPromiscuous else { return }
        let answer = unsafe cxdp_interface_change_flags(name, 0, UInt32(IFF_PROMISC))
        if answer != -ENODEV { try checked(answer, "ending promiscuous mode of", name) }
    }
}

/// Work that a device or driver may do in place of the stack, and that changes what a firewall in the path sees.
public enum Offload: Int32, Sendable, CaseIterable {
    /// The checksum is verified on reception.
    case receiveChecksum = 0
    /// The checksum is left to the device on transmission: over veth to nobody.
    case transmitChecksum
    /// TCP hands over segments larger than the MTU.
    case segmentation
    /// The stack does the same in software.
    case genericSegmentation
    /// Received segments are joined by the stack; on veth this also switches NAPI on.
    case genericReceive
    /// Received segments are joined by the device.
    case largeReceive
    /// The VLAN tag is taken out of a received frame.
    case receiveVLAN
    /// The VLAN tag travels beside a transmitted frame.
    case transmitVLAN

    /// The word after `ethtool -K <port>`.
    public var ethtoolName: String {
        switch self {
        case .receiveChecksum: "rx"
        case .transmitChecksum: "tx"
        case .segmentation: "tso"
        case .genericSegmentation: "gso"
        case .genericReceive: "gro"
        case .largeReceive: "lro"
        case .receiveVLAN: "rxvlan"
        case .transmitVLAN: "txvlan"
        }
    }
}

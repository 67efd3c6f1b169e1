// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// How the program gets onto a port. Three cases:
///
/// - Pins are there and their link sits on this very port: adopt. The new object is loaded over the pinned maps, with sockets and
///   peer in them, and put in place of the old program in one step (BPF_LINK_UPDATE). No frame is lost.
/// - Pins are there, but the link's port was deleted (its ifindex reads 0) or the pins are incomplete: remove them, attach anew.
/// - Nothing is there: attach. The link is pinned last, so a crash on the way leaves no program that nobody would find.
///
/// The attach flags always name a mode. Without one the kernel falls back to generic XDP and says nothing.
extension RedirectProgram {
    /// Attaches the program to a port, or adopts the one that a former process left there. `mode` is the pair's mode word, the same
    /// object for both ports. Generic XDP only where `generic` asks for it. The maps `sockets` and `peer` are as the former process
    /// left them, or empty.
    public static func attachOrAdopt(
        on interface: Interface, mode: ModeWord, in fileSystem: BPFFileSystem, generic: Bool = false
    ) throws(LinkError) -> RedirectProgram {
        let folder = try fileSystem.folder(ofPort: interface.name)
        var origin = Origin.attached
        if let link = try pinned(at: "\(folder)/link") {
            if let adopted = try adopt(link, on: interface, mode, folder, fileSystem, generic) { return adopted }
            // A link on this port that cannot be adopted would be in the way of the new one.
            _ = cxdp_link_detach(link.number)
            origin = .replaced
        }
        fileSystem.remove(pinNames, in: folder)
        return try attach(on: interface, mode, folder, fileSystem, generic, origin)
    }

    private static func adopt(
        _ link: FileDescriptor, on interface: Interface, _ mode: ModeWord, _ folder: String, _ fileSystem: BPFFileSystem,
        _ generic: Bool
    ) throws(LinkError) -> RedirectProgram? {
        var (ifindex, programID) = (UInt32(0), UInt32(0))
        guard unsafe cxdp_link_info(link.number, &ifindex, &programID) == 0 else {
            throw .strangePin(path: "\(folder)/link")
        }
        guard ifindex == interface.index, interface.xdp == (generic ? .generic : .native),
            let sockets = try pinned(at: "\(folder)/sockets"), try MapShape(of: sockets) == .sockets,
            let peer = try pinned(at: "\(folder)/peer"), try MapShape(of: peer) == .peer
        else { return nil }
        let maps = try RedirectMaps(mode: mode, sockets: sockets, peer: peer)
        try checked(cxdp_link_update(link.number, maps.program.number), "replacing the program of", interface.name)
        try pin(maps.program.number, at: "\(folder)/program")
        return RedirectProgram(maps, link: link, on: interface, pinned: folder, in: fileSystem, origin: .adopted)
    }

    private static func attach(
        on interface: Interface, _ mode: ModeWord, _ folder: String, _ fileSystem: BPFFileSystem, _ generic: Bool,
        _ origin: Origin
    ) throws(LinkError) -> RedirectProgram {
        let maps = try RedirectMaps(mode: mode)
        let flags = UInt32(generic ? CXDP_ATTACH_GENERIC : CXDP_ATTACH_NATIVE)
        let created = cxdp_link_create(maps.program.number, interface.index, flags)
        switch -created {
        case EBUSY, EEXIST:
            throw .foreignProgram(port: interface.name, program: try Interface(index: interface.index).xdpProgram)
        case EOPNOTSUPP where !generic: throw .noNativeXDP(port: interface.name, driver: interface.driver)
        case ENODEV: throw .noPort(name: interface.name)
        default: try checked(created, "attaching the redirect program to", interface.name)
        }
        let link = FileDescriptor(owning: created)
        try fileSystem.makeFolder(folder)
        try pin(maps.sockets.number, at: "\(folder)/sockets")
        try pin(maps.peer.number, at: "\(folder)/peer")
        try pin(maps.program.number, at: "\(folder)/program")
        try pin(link.number, at: "\(folder)/link")
        return RedirectProgram(maps, link: link, on: interface, pinned: folder, in: fileSystem, origin: origin)
    }
}

extension MapShape {
    /// What the map `sockets` must look like to be adopted.
    static var sockets: MapShape {
        MapShape(type: UInt32(CXDP_MAP_SOCKETS), keySize: 4, valueSize: 4, entries: RedirectProgram.queueLimit)
    }

    /// What the map `peer` must look like to be adopted.
    static var peer: MapShape {
        MapShape(type: UInt32(CXDP_MAP_DEVICES), keySize: 4, valueSize: 4, entries: 1)
    }
}

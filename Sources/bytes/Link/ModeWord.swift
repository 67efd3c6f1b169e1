// SPDX-License-Identifier: Apache-2.0
internal import CXDP
public import Net

/// The mode word of a port pair: a BPF map of one entry that the programs of both ports read for each frame, and that this
/// process writes by memory, so that a change acts on the next frame. Beside the mode stands an epoch: a worker that sees it
/// changed drops what its receive rings hold, because those frames were received under another mode.
///
/// One writer: the keeper. It is pinned, and so keeps its value when the keeper dies.
@safe public final class ModeWord {
    static let pinName = "mode"

    private let map: FileDescriptor
    // Mapped in init, unmapped in deinit, never handed out: valid as long as the object.
    private let words: UnsafeMutablePointer<UInt32>
    private let folder: String
    private let fileSystem: BPFFileSystem

    /// Adopts the pair's pinned mode word with the value it has, or makes and pins one, which says `block` until it is set.
    public init(pair: String, on fileSystem: BPFFileSystem) throws(LinkError) {
        let folder = try fileSystem.folder(ofPair: pair)
        let path = "\(folder)/\(Self.pinName)"
        let map: FileDescriptor
        if let found = try pinned(at: path) {
            guard Self.isModeMap(found) else { throw .strangePin(path: path) }
            map = found
        } else {
            map = FileDescriptor(owning: try checked(cxdp_create_mode_map(), "creating the mode word of", pair))
            try fileSystem.makeFolder(folder)
            try pin(map.number, at: path)
        }
        var address: UnsafeMutablePointer<UInt32>?
        try checked(unsafe cxdp_map_mode_for_writing(map.number, &address), "mapping the mode word of", pair)
        guard let address = unsafe address else { throw .strangePin(path: path) }
        unsafe words = address
        self.map = map
        self.folder = folder
        self.fileSystem = fileSystem
    }

    deinit {
        unsafe cxdp_unmap_mode(words)
    }

    /// The mode in force. A number that no mode has reads as `block`, which is what the program makes of it.
    public var value: PortMode {
        PortMode(rawValue: UInt32(truncatingIfNeeded: unsafe cxdp_read_mode(words))) ?? .block
    }

    /// The number of changes so far; it wraps.
    public var epoch: UInt32 {
        UInt32(truncatingIfNeeded: unsafe cxdp_read_mode(words) >> 32)
    }

    /// Stores a mode and bumps the epoch in one store. Setting the mode that is in force bumps the epoch too.
    public func set(_ mode: PortMode) {
        unsafe cxdp_write_mode(words, mode.rawValue, epoch &+ 1)
    }

    /// The map: what programs are loaded with, and what the data process maps for reading (`cxdp_map_mode`) and then closes. It is open
    /// for writing, because the kernel maps no map through a read-only descriptor. Owned by this object.
    public var fileDescriptor: Int32 { map.number }

    /// Removes the pin; the map ends with its last user.
    public func unpin() {
        fileSystem.remove([Self.pinName], in: folder)
    }

    private static func isModeMap(_ map: FileDescriptor) -> Bool {
        (try? MapShape(of: map)) == MapShape(type: UInt32(CXDP_MAP_ARRAY), keySize: 4, valueSize: 8, entries: 1)
    }
}

/// What tells one kind of map from another.
struct MapShape: Equatable {
    var type: UInt32
    var keySize: UInt32
    var valueSize: UInt32
    var entries: UInt32

    /// A shape as it should be.
    init(type: UInt32, keySize: UInt32, valueSize: UInt32, entries: UInt32) {
        self.type = type
        self.keySize = keySize
        self.valueSize = valueSize
        self.entries = entries
    }

    /// The shape of a map that is open; throws when the descriptor is no map.
    init(of map: FileDescriptor) throws(LinkError) {
        self.init(type: 0, keySize: 0, valueSize: 0, entries: 0)
        var flags: UInt32 = 0
        try checked(
            unsafe cxdp_map_info(map.number, &type, &keySize, &valueSize, &entries, &flags), "asking for", "the shape of a map")
    }
}

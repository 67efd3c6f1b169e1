// SPDX-License-Identifier: Apache-2.0

/// A folder on a disk that may lose its power: what is on it for certain, and what is still on its way.
///
/// The model is harsher than file systems are. Of what was written to a file since its last sync, any part may arrive, in any order, by
/// sectors of 512 bytes; a file may have grown and hold zeros. A name is on the disk when the folder was synced, not when the file was;
/// only among themselves names change in order.
struct Disk {
    private enum Change {
        case write(at: Int, [UInt8])
        case truncation(to: Int)
    }

    private enum Naming {
        case made(String, Int)
        case renamed(String, String)
        case removed(String)
    }

    private struct File {
        var bytes: [UInt8] = []
        var pending: [Change] = []
    }

    private static let sector = 512

    private var files: [File] = []
    /// Names as the process sees them, as they are on the disk, and what lies between.
    private var names: [String: Int] = [:]
    private var safe: [String: Int] = [:]
    private var namings: [Naming] = []
    private var open: [Int64: Int] = [:]
    private var folders: Set<Int64> = []

    /// Takes the next event.
    mutating func take(_ event: DiskRecord.Event) {
        switch event {
        case .opened(let descriptor, let name, let isEmptied): opened(descriptor, name, isEmptied)
        case .wrote(let descriptor, let offset, let bytes): pend(.write(at: offset, bytes), descriptor)
        case .truncated(let descriptor, let length): pend(.truncation(to: length), descriptor)
        case .synced(let descriptor): synced(descriptor)
        case .renamed(let old, let new):
            names[new] = names.removeValue(forKey: old)
            namings.append(.renamed(old, new))
        case .removed(let name):
            names[name] = nil
            namings.append(.removed(name))
        case .promised: break
        }
    }

    private mutating func opened(_ descriptor: Int64, _ name: String, _ isEmptied: Bool) {
        folders.remove(descriptor)
        if name.isEmpty {
            folders.insert(descriptor)
            return
        }
        if names[name] == nil {
            names[name] = files.count
            namings.append(.made(name, files.count))
            files.append(File())
        }
        open[descriptor] = names[name]
        if isEmptied { pend(.truncation(to: 0), descriptor) }
    }

    private mutating func pend(_ change: Change, _ descriptor: Int64) {
        guard let file = open[descriptor] else { return }
        files[file].pending.append(change)
    }

    private mutating func synced(_ descriptor: Int64) {
        if folders.contains(descriptor) {
            for naming in namings { Self.apply(naming, to: &safe) }
            namings = []
        } else if let file = open[descriptor] {
            for change in files[file].pending { Self.apply(change, to: &files[file].bytes) }
            files[file].pending = []
        }
    }

    /// The files that are found when the power comes back, with luck (from 0, nothing that was not synced arrived, to 1, all of it did).
    func found(luck: Double, using generator: inout some RandomNumberGenerator) -> [String: [UInt8]] {
        var arrived = safe
        let count = Int((Double(namings.count) * luck).rounded())
        let prefix = luck == 0 || luck == 1 ? count : Int.random(in: 0...namings.count, using: &generator)
        for naming in namings.prefix(prefix) { Self.apply(naming, to: &arrived) }
        return arrived.mapValues { content(files[$0], luck, &generator) }
    }

    private func content(_ file: File, _ luck: Double, _ generator: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = file.bytes
        for change in file.pending {
            guard luck < 1 else {
                Self.apply(change, to: &bytes)
                continue
            }
            switch change {
            case .truncation:
                if Double.random(in: 0..<1, using: &generator) < luck { Self.apply(change, to: &bytes) }
            case .write(let offset, let written):
                // The length may arrive without what was written.
                if luck > 0, Bool.random(using: &generator) { Self.grow(&bytes, to: offset + written.count) }
                var start = offset
                while start < offset + written.count {
                    let end = min((start / Self.sector + 1) * Self.sector, offset + written.count)
                    if Double.random(in: 0..<1, using: &generator) < luck {
                        Self.apply(.write(at: start, Array(written[(start - offset)..<(end - offset)])), to: &bytes)
                    }
                    start = end
                }
            }
        }
        return bytes
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let offset, let written):
            grow(&bytes, to: offset + written.count)
            bytes.replaceSubrange(offset..<(offset + written.count), with: written)
        case .truncation(let length):
            if length < bytes.count { bytes.removeLast(bytes.count - length) } else { grow(&bytes, to: length) }
        }
    }

    private static func grow(_ bytes: inout [UInt8], to length: Int) {
        if bytes.count < length { bytes += [UInt8](repeating: 0, count: length - bytes.count) }
    }

    private static func apply(_ naming: Naming, to names: inout [String: Int]) {
        switch naming {
        case .made(let name, let file): names[name] = file
        case .renamed(let old, let new): names[new] = names.removeValue(forKey: old)
        case .removed(let name): names[name] = nil
        }
    }
}

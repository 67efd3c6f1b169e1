// SPDX-License-Identifier: Apache-2.0
import Testing

/// A part of a memory file.
struct Piece {
    var name: String
    var offset: Int
    var byteCount: Int

    init(_ name: String, at offset: Int, _ byteCount: Int) {
        self.name = name
        self.offset = offset
        self.byteCount = byteCount
    }
}

/// Demands that no two pieces of a file overlap, that all lie inside it, and that each begins at a multiple of 64.
func expect(_ pieces: [Piece], fit byteCount: Int, _ note: String, _ location: SourceLocation = #_sourceLocation) {
    let sorted = pieces.sorted { $0.offset < $1.offset }
    for (one, next) in zip(sorted, sorted.dropFirst()) where one.offset + one.byteCount > next.offset {
        Issue.record("\(one.name) reaches into \(next.name): \(note)", sourceLocation: location)
    }
    for piece in sorted where piece.offset % 64 != 0 || piece.offset < 0 || piece.offset + piece.byteCount > byteCount {
        Issue.record("\(piece.name) at \(piece.offset) of \(byteCount): \(note)", sourceLocation: location)
    }
}

// SPDX-License-Identifier: Apache-2.0

// A datagram's bytes in units of 8, because fragments begin at multiples of 8. `came` has a bit for each unit that came, `begun` for each
// at which a fragment began. Both are looked at and written word by word between two units: at most 128 words for a fragment of 64 KiB.

extension FragmentTable {
    /// The bitmap of the units that came.
    @_noLocks func came(_ number: UInt32) -> UnsafeMutablePointer<UInt64> {
        let place = Int(number & UInt32(truncatingIfNeeded: FragmentTableSize.datagrams &- 1))
        return unsafe maps + place &* 2 &* FragmentTableSize.words
    }

    /// The bitmap of the units at which a fragment began.
    @_noLocks func begun(_ number: UInt32) -> UnsafeMutablePointer<UInt64> {
        unsafe came(number) + FragmentTableSize.words
    }

    /// Clears both bitmaps as far as they were used.
    @_noLocks func clearMaps(_ number: UInt32, upTo byte: UInt32) {
        let (arrived, starts) = unsafe (came(number), begun(number))
        // 64 units of 8 bytes in a word.
        let count = min((Int(byte) &+ 511) >> 9, FragmentTableSize.words)
        for word in 0..<count {
            unsafe arrived[word] = 0
            unsafe starts[word] = 0
        }
    }

    /// Whether a fragment fits what came of its datagram.
    @_noLocks func fit(_ fragment: FragmentPiece, in number: UInt32) -> Fit {
        let (first, end) = fragment.units
        let total = unsafe Int(entry(number).pointee.total)
        if unsafe isAnySet(came(number), from: first, to: end) {
            return isCopy(fragment, in: number, total: total) ? .copy : .overlaps
        }
        // Behind the end, or another end: whatever it is, it is not of the same datagram.
        if total != 0 { return fragment.hasMore && fragment.end < total ? .fits : .overlaps }
        if fragment.hasMore { return .fits }
        return unsafe Int(entry(number).pointee.highest) <= fragment.offset ? .fits : .overlaps
    }

    /// Notes the units of a fragment that fits.
    @_noLocks func note(_ fragment: FragmentPiece, in number: UInt32) {
        let (first, end) = fragment.units
        let (arrived, starts) = unsafe (came(number), begun(number))
        unsafe starts[first >> 6] |= 1 << UInt64(truncatingIfNeeded: first & 63)
        for word in (first >> 6)...((end &- 1) >> 6) { unsafe arrived[word] |= mask(word, first, end) }
        let entry = unsafe entry(number)
        unsafe entry.pointee.units &+= UInt32(truncatingIfNeeded: end &- first)
        if unsafe Int(entry.pointee.highest) < fragment.end {
            unsafe entry.pointee.highest = UInt32(truncatingIfNeeded: fragment.end)
        }
        if !fragment.hasMore { unsafe entry.pointee.total = UInt32(truncatingIfNeeded: fragment.end) }
    }

    /// Whether a fragment that covers units that came is the same piece as one of those: one began where it begins, none began inside,
    /// and that one ended where it ends.
    @_noLocks private func isCopy(_ fragment: FragmentPiece, in number: UInt32, total: Int) -> Bool {
        let (first, end) = fragment.units
        let (arrived, starts) = unsafe (came(number), begun(number))
        guard unsafe isSet(starts, first), unsafe !isAnySet(starts, from: first &+ 1, to: end),
            unsafe isEachSet(arrived, from: first, to: end)
        else { return false }
        if end < 64 &* FragmentTableSize.words, unsafe isSet(arrived, end) && !isSet(starts, end) { return false }
        return fragment.hasMore ? total == 0 || fragment.end < total : fragment.end == total
    }

    @_noLocks private func isSet(_ map: UnsafeMutablePointer<UInt64>, _ unit: Int) -> Bool {
        unsafe map[unit >> 6] >> UInt64(truncatingIfNeeded: unit & 63) & 1 != 0
    }

    @_noLocks private func isAnySet(_ map: UnsafeMutablePointer<UInt64>, from first: Int, to end: Int) -> Bool {
        guard first < end else { return false }
        for word in (first >> 6)...((end &- 1) >> 6) where unsafe map[word] & mask(word, first, end) != 0 { return true }
        return false
    }

    @_noLocks private func isEachSet(_ map: UnsafeMutablePointer<UInt64>, from first: Int, to end: Int) -> Bool {
        for word in (first >> 6)...((end &- 1) >> 6) where unsafe ~map[word] & mask(word, first, end) != 0 { return false }
        return true
    }

    /// The bits of a word that stand for units from `first` to before `end`; the word has at least one of them.
    @_noLocks private func mask(_ word: Int, _ first: Int, _ end: Int) -> UInt64 {
        let start = word &* 64
        let low = first > start ? first &- start : 0
        let high = end &- start
        let ones: UInt64 = high < 64 ? (1 << UInt64(truncatingIfNeeded: high)) &- 1 : .max
        return ones & ~((1 << UInt64(truncatingIfNeeded: low)) &- 1)
    }
}

/// How a fragment lies among those that came.
enum Fit {
    /// Where nothing was.
    case fits
    /// Exactly where another one lies.
    case copy
    /// Over a part of another one, behind the datagram's end, or with another end.
    case overlaps
}

extension FragmentPiece {
    /// Its first unit, and one past its last; at most 8,192.
    var units: (first: Int, end: Int) { @_noLocks get { (offset >> 3, (end &+ 7) >> 3) } }
}

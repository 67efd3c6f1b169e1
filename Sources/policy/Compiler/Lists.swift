// SPDX-License-Identifier: Apache-2.0

/// Lists of numbers, each distinct one once, so that equal lists are equal numbers. List 0 is the empty one.
///
/// A hash of its own over one array of all lists: a large policy asks for a million of them, most of them known.
struct Lists {
    /// The empty list.
    static let empty: UInt32 = 0
    private var items: [UInt32] = []
    private var starts: [Int] = [0, 0]
    private var slots = [UInt32](repeating: .max, count: 1024)
    /// Room for a list that is made.
    private var made: [UInt32] = []

    /// How many lists there are.
    var count: Int { starts.count - 1 }

    /// The numbers of a list.
    subscript(list: UInt32) -> ArraySlice<UInt32> { items[starts[Int(list)]..<starts[Int(list) + 1]] }

    /// The number of a list that has one.
    func find(_ list: [UInt32]) -> UInt32? {
        if list.isEmpty { return Self.empty }
        let number = slots[slot(of: list)]
        return number == .max ? nil : number
    }

    /// The number of a list; a new one if it has none.
    mutating func number(of list: [UInt32]) -> UInt32 {
        if list.isEmpty { return Self.empty }
        let slot = slot(of: list)
        if slots[slot] != .max { return slots[slot] }
        let number = UInt32(count)
        items += list
        starts.append(items.count)
        slots[slot] = number
        if count * 2 > slots.count { grow() }
        return number
    }

    /// Where a list is in the hash, or would be.
    private func slot(of list: [UInt32]) -> Int {
        var slot = Self.hash(list) & (slots.count - 1)
        while slots[slot] != .max, !self[slots[slot]].elementsEqual(list) { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    private mutating func grow() {
        slots = [UInt32](repeating: .max, count: slots.count * 4)
        for number in 1..<UInt32(count) {
            var slot = Self.hash(self[number]) & (slots.count - 1)
            while slots[slot] != .max { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = number
        }
    }

    private static func hash(_ list: some Collection<UInt32>) -> Int {
        var word: UInt64 = 0x2545_F491_4F6C_DD1D
        for item in list {
            word = (word ^ UInt64(item)) &* 0x9E37_79B9_7F4A_7C15
            word ^= word >> 29
        }
        return Int(truncatingIfNeeded: word >> 16)
    }
}

/// What happens at a class: a rule, or a policy, begins to match there, or ceases to.
struct Event: Comparable {
    /// `class << 32 | item << 1 | begins`, which sorts by class, then by item.
    let word: UInt64

    init(_ number: UInt32, item: UInt32, begins: Bool) {
        word = UInt64(number) << 32 | UInt64(item) << 1 | (begins ? 1 : 0)
    }

    /// The class.
    var number: UInt32 { UInt32(truncatingIfNeeded: word >> 32) }
    /// The rule or policy.
    var item: UInt32 { UInt32(truncatingIfNeeded: word) >> 1 }
    /// Whether it matches from here down.
    var begins: Bool { word & 1 == 1 }

    static func < (a: Event, b: Event) -> Bool { a.word < b.word }
}

extension Lists {
    /// The list that the events of one class, which are in order, make of the list around it.
    mutating func apply(_ events: ArraySlice<Event>, to list: UInt32) -> UInt32 {
        made.removeAll(keepingCapacity: true)
        var next = events.startIndex
        for place in starts[Int(list)]..<starts[Int(list) + 1] {
            let item = items[place]
            while next < events.endIndex, events[next].item < item {
                if events[next].begins { made.append(events[next].item) }
                next += 1
            }
            if next < events.endIndex, events[next].item == item {
                if events[next].begins { made.append(item) }
                next += 1
            } else {
                made.append(item)
            }
        }
        while next < events.endIndex {
            if events[next].begins { made.append(events[next].item) }
            next += 1
        }
        return number(of: made)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Ring
import Testing

@Suite("Columns of a burst") struct ColumnTests {
    @Test func `each frame has an item of its own, and a number beyond the burst's wraps around`() {
        var column = Column<UInt64>(repeating: 7)
        #expect((0..<64).allSatisfy { column[$0] == 7 })
        for index in 0..<64 { column[index] = UInt64(index) }
        #expect((0..<64).allSatisfy { column[$0] == UInt64($0) })
        #expect(column[64] == 0 && column[-1] == 63 && column[.max] == 63)
        column[65] = 9
        #expect(column[1] == 9)
    }

    @Test func `an item is changed where it lies`() {
        var column = Column(repeating: Descriptor(address: 0, length: 0))
        column[3].length = 60
        #expect(column[3].length == 60 && column[3].address == 0 && column[2].length == 0)
    }

    @Test func `a view shows the same items, and changes them`() {
        var column = Column<UInt64>(repeating: 7)
        let view = column.view
        view[64] = 8
        #expect(column[0] == 8 && view[1] == 7 && view[-1] == 7)
        column[63] = 9
        #expect(view[63] == 9 && view[-1] == 9)
    }

    @Test func `a view has a place for each frame of a burst, and for no more`() {
        let column = Column<UInt64>(repeating: 0)
        #expect(column.view.places(3) == 0..<3 && column.view.places(64) == 0..<64)
        #expect(column.view.places(0).isEmpty && column.view.places(-1).isEmpty && column.view.places(.max) == 0..<64)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Wire

@Suite("A sum that folds to all ones") struct AllOnesTests {
    @Test func `is a multiple of 65535, and not 0`() {
        let largest = UInt64.max / 0xffff * 0xffff
        for sum in [0xffff, 0x1_fffe, largest - 0xffff, largest] as [UInt64] {
            #expect(isAllOnes(sum) && !isAllOnes(sum - 1) && !isAllOnes(sum &+ 1))
        }
        #expect(!isAllOnes(0) && !isAllOnes(1))
    }

    @Test func `by a division says the same of long and short ones`() {
        for shift in 0..<64 as Range<UInt64> {
            let bits = 0xfedc_ba98_7654_3210 >> shift as UInt64
            for sum in [bits, bits / 0xffff * 0xffff, bits | 1] {
                #expect(isAllOnes(sum) == (sum % 0xffff == 0 && sum != 0), "\(sum)")
            }
        }
    }
}

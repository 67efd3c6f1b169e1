// SPDX-License-Identifier: Apache-2.0
import Net
import Testing

@Suite struct Readings {
    @Test func `a reading that is cleared holds what a new one does, byte for byte`() {
        // All ones are a reading too as far as its bytes go, but no enum has such a case: only bytes are looked at.
        var reading = Reading()
        let fresh = reading
        unsafe withUnsafeMutableBytes(of: &reading) { bytes in
            for index in bytes.indices { unsafe bytes[index] = 0x03 }
        }
        reading.clear()
        let isSame = unsafe withUnsafeBytes(of: reading) { cleared in
            unsafe withUnsafeBytes(of: fresh) { new in
                // Between the last field and the end of the type lies nothing that belongs to it.
                unsafe zip(cleared, new).prefix(MemoryLayout<Reading>.size).allSatisfy { $0 == $1 }
            }
        }
        #expect(isSame)
    }
}

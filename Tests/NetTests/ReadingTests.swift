// SPDX-License-Identifier: Apache-2.0
import Net
import Testing

@Suite struct Readings {
    @Test func `a reading that is cleared holds what a new one does, in every field`() {
        var reading = Reading()
        let fresh = "\(reading)"
        // Any bytes are a reading but for its enums, which have no such case: none is looked at before all are cleared.
        unsafe withUnsafeMutableBytes(of: &reading) { bytes in
            for index in bytes.indices { unsafe bytes[index] = 0x03 }
        }
        reading.clear()
        #expect("\(reading)" == fresh)
    }
}

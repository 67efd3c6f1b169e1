// SPDX-License-Identifier: Apache-2.0

/// Adds up where the frames of a UMEM are: each must be in exactly one place.
public struct FrameLedger: Sendable {
    private let frameSize: UInt64
    private var places: [[String]]
    private var strangers: [String] = []

    /// A ledger for so many frames, found nowhere yet.
    public init(frames: Int, frameSize: Int) {
        self.frameSize = UInt64(frameSize)
        places = Array(repeating: [], count: frames)
    }

    /// Notes that the frame of an address was found in a place.
    public mutating func note(_ address: UInt64, in place: String) {
        let number = address / frameSize
        if number < places.count { places[Int(number)].append(place) } else { strangers.append("\(address) in \(place)") }
    }

    /// What is wrong; `nil` when each frame is in one place and nothing else is in any.
    public var fault: String? {
        var faults = strangers.map { "address \($0) is no frame" }
        for (number, found) in places.enumerated() where found.count != 1 {
            faults.append(found.isEmpty ? "frame \(number) is nowhere" : "frame \(number) is in \(found)")
        }
        guard !faults.isEmpty else { return nil }
        return faults.prefix(8).joined(separator: "; ") + (faults.count > 8 ? "; and \(faults.count - 8) more" : "")
    }

    /// How many frames are in a place.
    public func count(in place: String) -> Int { places.filter { $0.contains(place) }.count }
}

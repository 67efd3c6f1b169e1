// SPDX-License-Identifier: Apache-2.0

/// Why a capture cannot be replayed, or not to its end; each says what to do next.
public enum ReplayError: Error, Equatable, CustomStringConvertible {
    /// libpcap could not open the file.
    case cannotOpen(file: String, why: String)
    /// The frames do not begin with an Ethernet header.
    case notEthernet(file: String, link: String)
    /// The file ends, or becomes unreadable, behind so many frames.
    case cut(file: String, frames: Int, why: String)
    /// More zones than replay tells apart.
    case tooManyZones(Int, limit: Int)
    /// The compiled policy could not be read back.
    case policy(String)

    /// One sentence, with the remedy.
    public var description: String {
        switch self {
        case .cannotOpen(let file, let why): "\(file): cannot be read as a capture: \(why)"
        case .notEthernet(let file, let link):
            "\(file): frames of link type \(link) have no Ethernet header; capture on an Ethernet interface, not on \"any\""
        case .cut(let file, let frames, let why):
            "\(file): ends behind frame \(frames) without being complete: \(why); what was read before is judged above"
        case .tooManyZones(let count, let limit):
            "\(count) zones are named and \(limit) can be told apart; give several --zone the same name"
        case .policy(let why): "the compiled policy cannot be used: \(why)"
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// A request's body whose fields are known by name: one that is not known is refused, because a misspelt `dryRun` must not become a
/// change.
protocol StrictRequest: Decodable {
    /// The fields' names.
    static var fields: Set<String> { get }
}

extension ApplyRequest: StrictRequest {
    static var fields: Set<String> {
        ["files", "namespace", "dryRun", "confirm", "console", "maxNewDenies", "lossy", "reason", "ifRevision"]
    }
}
extension ConfirmRequest: StrictRequest {
    static var fields: Set<String> { ["console"] }
}
extension RollbackRequest: StrictRequest {
    static var fields: Set<String> { ["dryRun", "confirm", "console", "maxNewDenies", "reason"] }
}
extension RegisterRequest: StrictRequest {
    static var fields: Set<String> { ["files", "lease"] }
}
extension UpdateRequest: StrictRequest {
    static var fields: Set<String> { ["labels", "lease"] }
}
extension BypassRequest: StrictRequest {
    static var fields: Set<String> { ["seconds", "reason"] }
}

extension CaptureRequest: StrictRequest {
    static var fields: Set<String> { ["conditions", "sights", "payload", "snap", "rate", "seconds", "frames", "bytes"] }
}

extension StrictRequest {
    /// Reads a request from its text.
    static func read(_ bytes: ByteBuffer) throws(Problem) -> Self {
        let data = Data(bytes.readableBytesView)
        let decoder = JSONDecoder()
        do {
            let named = try decoder.decode([String: Anything].self, from: data)
            let unknown = named.keys.filter { !fields.contains($0) }.sorted()
            guard unknown.isEmpty else {
                throw Problem(
                    .badRequest,
                    "there is no field \(unknown.joined(separator: ", ")); the fields are \(fields.sorted().joined(separator: ", "))"
                )
            }
            return try decoder.decode(Self.self, from: data)
        } catch let problem as Problem {
            throw problem
        } catch let error as DecodingError {
            throw Problem(.badRequest, "the body is not understood: \(error.told)")
        } catch {
            throw Problem(.badRequest, "the body is no JSON object")
        }
    }
}

/// Any value, of which nothing is kept.
private struct Anything: Decodable {
    init(from decoder: any Decoder) throws {}
}

extension DecodingError {
    /// What was wrong and where, for people.
    fileprivate var told: String {
        let (what, context): (String, Context) =
            switch self {
            case .keyNotFound(let key, let context): ("\(key.stringValue) is missing", context)
            case .typeMismatch(let type, let context): ("it should be \(type)", context)
            case .valueNotFound(let type, let context): ("it should be \(type) and not null", context)
            case .dataCorrupted(let context): (context.debugDescription, context)
            @unknown default: ("it is not what it should be", .init(codingPath: [], debugDescription: ""))
            }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? what : "\(path): \(what)"
    }
}

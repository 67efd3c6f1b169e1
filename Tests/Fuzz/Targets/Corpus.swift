// SPDX-License-Identifier: Apache-2.0

/// A corpus file: a line for each input, `name: hexadecimal`, and `#` for remarks. Text, so that a change of it can be read.
public enum Corpus {
    /// The inputs of a file's text; `nil` where a line is neither input, remark nor empty.
    public static func inputs(of text: String) -> [FuzzTarget.Seed]? {
        var result: [FuzzTarget.Seed] = []
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            guard let colon = line.lastIndex(of: ":"), let input = bytes(of: line[colon...].dropFirst()) else { return nil }
            result.append((String(line[..<colon]), input))
        }
        return result
    }

    /// A line of a file.
    public static func line(_ seed: FuzzTarget.Seed) -> String {
        "\(seed.name): \(seed.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())"
    }

    /// Bytes from their hexadecimal form; `nil` where it is none.
    public static func bytes(of text: some StringProtocol) -> [UInt8]? {
        let digits = text.filter { !$0.isWhitespace }.map(\.hexDigitValue)
        guard digits.count.isMultiple(of: 2), !digits.contains(nil) else { return nil }
        let values = digits.compactMap { $0 }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] * 16 + values[$0 + 1]) }
    }
}

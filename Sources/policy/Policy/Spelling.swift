// SPDX-License-Identifier: Apache-2.0

/// Finds the word that somebody probably meant.
public enum Spelling {
    /// "did you mean …?", where a known word is at most two edits away and nearer than half its length.
    public static func remedy(_ word: String, among known: [String]) -> String? {
        let near = known.map { ($0, distance(word.lowercased(), $0.lowercased())) }
            .filter { $0.1 <= 2 && $0.1 * 2 < $0.0.count }
            .min { ($0.1, $0.0) < ($1.1, $1.0) }
        return near.map { "did you mean \"\($0.0)\"?" }
    }

    /// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
    static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.prefix(64)), Array(b.prefix(64)))
        var rows = [Array(0...b.count)]
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}

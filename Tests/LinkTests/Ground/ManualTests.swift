// SPDX-License-Identifier: Apache-2.0
import Foundation
import Link
import Testing

@Suite struct DoctorManual {
    private static func manual() throws -> String {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../docs/doctor.md")
        return try String(contentsOf: path.standardizedFileURL, encoding: .utf8)
    }

    @Test func `each finding has a row in the manual, and each row its finding`() throws {
        let table = try #require(
            try Self.manual().components(separatedBy: "<!-- findings -->\n").last?.components(separatedBy: "<!-- /findings -->")
                .first)
        let rows = table.split(separator: "\n").dropFirst(2).map {
            $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let codes = rows.map { $0[0].trimmingCharacters(in: ["`"]) }
        #expect(Set(codes).count == codes.count)
        #expect(Set(codes) == Set(Finding.Code.allCases.map(\.rawValue)))
        let severities = Set(Finding.Severity.allCases.map(\.rawValue))
        for row in rows {
            #expect(row.count == 4 && row[1].components(separatedBy: ", ").allSatisfy(severities.contains), "\(row)")
        }
    }
}

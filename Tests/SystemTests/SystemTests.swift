// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Real traffic through the real binary, in network namespaces that each test makes for itself. All suites nest in this one, because
/// suites that are serialised apart run beside each other, and these measure gaps.
@Suite(
    .serialized, .timeLimit(.minutes(Requirement.minutes)),
    .enabled(if: Requirement.isRoot, "network namespaces need root"),
    .enabled(if: Requirement.hasBinary, "there is no bulkhead to test: build it with -c release, or name it in BULKHEAD_BINARY"))
enum SystemTests {
    /// Those that judge what passes, and not how fast or without which gap. `scripts/test` runs two of these suites at a time, for
    /// nearly all of their time is waiting; everything outside of this runs alone. A new suite is outside, until it is known to bear company.
    @Suite enum SideBySide {}
}

/// What the system tests need from the machine.
enum Requirement {
    /// Namespaces, XDP and taps.
    static var isRoot: Bool { geteuid() == 0 }

    /// The binary under test.
    static var hasBinary: Bool { FileManager.default.isExecutableFile(atPath: binary) }

    /// `BULKHEAD_BINARY`, or the release build of this package.
    static let binary =
        ProcessInfo.processInfo.environment["BULKHEAD_BINARY"]
        ?? package.appending(path: ".build/release/bulkhead").path

    /// Minutes that a test may take. Of nested limits the shortest holds, so that the long forms (`scripts/soak`) must raise this one.
    static let minutes = ProcessInfo.processInfo.environment["BULKHEAD_MINUTES"].flatMap(Int.init) ?? 5

    /// The package's folder.
    static let package = URL(filePath: #filePath).appending(path: "../../..").standardized

    /// The programs that make and watch traffic.
    static let traffic = package.appending(path: "Tests/Traffic")
}

/// Why a test could not go on, in words.
struct Trouble: Error, CustomStringConvertible {
    /// What happened, and to whom.
    let description: String

    init(_ description: String) { self.description = description }
}

/// Prints what a test measured, so that the log of a run can be compared with the last one's.
func figure(_ name: String, _ value: String) {
    print("figure  \(name): \(value)")
}

// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The value behind an option, or `nil` where the option is not there.
package func option(_ name: String) -> String? {
    guard let place = CommandLine.arguments.firstIndex(of: name), place + 1 < CommandLine.arguments.count else { return nil }
    return CommandLine.arguments[place + 1]
}

/// The numbers behind an option, with commas between, or others where it is not there; `nil` where one is no number from 1 on.
package func numbers(_ name: String, or others: [Int]) -> [Int]? {
    guard let text = option(name) else { return others }
    let found = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    return found.allSatisfy { $0 > 0 } ? found : nil
}

/// Prints a line to standard error.
package func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = unsafe write(2, line, line.count)
}

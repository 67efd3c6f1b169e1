// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The value behind an option, or `nil` where the option is not there.
package func option(_ name: String) -> String? {
    guard let place = CommandLine.arguments.firstIndex(of: name), place + 1 < CommandLine.arguments.count else { return nil }
    return CommandLine.arguments[place + 1]
}

/// Prints a line to standard error.
package func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = unsafe write(2, line, line.count)
}

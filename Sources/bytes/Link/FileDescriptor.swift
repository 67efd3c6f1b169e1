// SPDX-License-Identifier: Apache-2.0
import Glibc

/// An open file descriptor that is closed with its last owner. A class, because the cold objects that hold one are kept in
/// arrays and dictionaries.
final class FileDescriptor: Sendable {
    let number: Int32

    /// Takes over an open descriptor.
    init(owning number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }
}

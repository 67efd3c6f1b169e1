// SPDX-License-Identifier: Apache-2.0
import Glibc
import Layout

/// What control says to keeper, said by a test: over a second descriptor of control's own channel, which only root can take from it
/// (pidfd_getfd). So a test can say what a control that has been taken over would say.
final class ControlChannel {
    private let channel: Channel

    /// The channel of a running control process.
    init(of control: Int32) throws {
        typealias Open = @convention(c) (Int32, UInt32) -> Int32
        typealias Get = @convention(c) (Int32, Int32, UInt32) -> Int32
        guard let open = unsafe dlsym(nil, "pidfd_open"), let get = unsafe dlsym(nil, "pidfd_getfd") else {
            throw Trouble("the C library has no pidfd_getfd")
        }
        let process = unsafe unsafeBitCast(open, to: Open.self)(control, 0)
        guard process >= 0 else { throw Trouble("no process \(control): error \(errno)") }
        defer { close(process) }
        // Control's end of the channel is its descriptor 3.
        let end = unsafe unsafeBitCast(get, to: Get.self)(process, 3, 0)
        guard end >= 0 else { throw Trouble("process \(control) does not share its channel: error \(errno)") }
        channel = Channel(adopting: end)
    }

    /// Says something to keeper.
    func say(_ message: Message) throws { try channel.send(message) }
}

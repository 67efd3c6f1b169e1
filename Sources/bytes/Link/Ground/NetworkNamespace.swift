// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// A network namespace. One of our own has no name: nothing finds it from outside, and it ends with this object, or with the process,
/// whatever ends that, and so does what was made in it.
final class NetworkNamespace {
    private let place: FileDescriptor

    /// The number by which other calls name it.
    var descriptor: Int32 { place.number }

    /// One that is open already.
    init(adopting place: FileDescriptor) { self.place = place }

    /// Makes an empty one; the calling thread stays where it is.
    init() throws(LinkError) {
        let home = try Self.here()
        try checked(cxdp_new_network_namespace(), "making", "a network namespace")
        defer { Self.goHome(home) }
        place = try Self.here()
    }

    /// Does something inside. Namespaces are the thread's, so no other thread notices.
    func visit<Result>(_ body: () throws -> Result) throws -> Result {
        let home = try Self.here()
        try checked(cxdp_enter_network_namespace(place.number), "entering", "a network namespace")
        defer { Self.goHome(home) }
        return try body()
    }

    private static func here() throws(LinkError) -> FileDescriptor {
        let number = unsafe open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        return FileDescriptor(owning: try checked(number < 0 ? -errno : number, "opening", "the network namespace"))
    }

    private static func goHome(_ home: FileDescriptor) {
        precondition(cxdp_enter_network_namespace(home.number) == 0, "a thread that was let into a namespace is let back")
    }
}

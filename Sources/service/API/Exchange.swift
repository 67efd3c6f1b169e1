// SPDX-License-Identifier: Apache-2.0
internal import Hummingbird

/// A request's context: the connection that it came over, and, once that is known, who calls.
struct Exchange: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection; `nil` where nobody connected, as in tests of the router alone.
    let connection: Connection?
    /// Who calls; the front door fills it in.
    var caller: Caller?

    init(source: Source) {
        coreContext = .init(source: source)
        connection = Connection.current
    }
}

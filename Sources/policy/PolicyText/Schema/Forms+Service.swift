// SPDX-License-Identifier: Apache-2.0

extension Forms {
    static let service = Form(
        name: "Service", meaning: "A service with more to say than protocol and numbers",
        keys: [
            Key("service", .service, "Protocol and numbers, or a name of the destination's", absent: nil),
            Key(
                "sourcePorts", .list(.either([.integer(0...65_535), .text(pattern: "^[0-9]{1,5}(-[0-9]{1,5})?$")]), atLeast: 1),
                "Ports of the source, of which it must use one", absent: "any", empty: "an error: it could match nothing"),
            Key(
                "http", .list(.form("HTTPMatch")), "HTTP requests, of which one must match", absent: "not looked at",
                empty: "every HTTP request"),
            Key(
                "tls", .list(.text(), atLeast: 1), "Server names of TLS handshakes, or patterns of them",
                absent: "not looked at", empty: "an error: it could match nothing"),
            Key(
                "dns", .list(.text(), atLeast: 1), "Names that DNS queries ask for, or patterns of them",
                absent: "not looked at", empty: "an error: it could match nothing"),
            Key(
                "priority", .integer(1...65_535), "Which layer-7 program runs where several match, the smallest first",
                absent: "last"),
        ])

    static let httpMatch = Form(
        name: "HTTPMatch", meaning: "One kind of HTTP request: every key that is there must hold",
        keys: [
            Key("methods", .list(.pattern), "Methods", absent: "any", empty: "none"),
            Key("notMethods", .list(.pattern), "Methods that it must not have", absent: "none", empty: "none"),
            Key("paths", .list(.pattern), "Paths", absent: "any", empty: "none"),
            Key("notPaths", .list(.pattern), "Paths that it must not have", absent: "none", empty: "none"),
            Key("hosts", .list(.pattern), "Hosts; case does not matter", absent: "any", empty: "none"),
            Key("notHosts", .list(.pattern), "Hosts that it must not have", absent: "none", empty: "none"),
            Key("headers", .dictionary(.pattern), "Header fields, all of which it must have", absent: "any", empty: "any"),
        ])
}

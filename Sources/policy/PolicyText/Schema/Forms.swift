// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// All forms of the language: the documents' outermost keys, their metadata, and what each kind's `spec` may say.
enum Forms {
    /// A kind of documents, and the form of its spec. A namespaced one may have `metadata.namespace`.
    typealias Kind = (kind: String, spec: Form, isNamespaced: Bool)

    /// All kinds of documents.
    static let kinds: [Kind] = [
        ("Zone", zone, false), ("Workload", workload, true), ("Namespace", namespace, false),
        ("ServiceAccount", serviceAccount, true), ("AddressSet", addressSet, true), ("Entity", entity, false),
        ("Tier", tier, false), ("Policy", policy, true),
    ]

    /// Forms inside of specs.
    static let inner = [
        defaults, isolates, drain, rule, term, labelSelector, requirement, principal, pattern, service, httpMatch,
        addressEntry,
    ]

    static func document(_ spec: Form) -> Form {
        Form(
            name: "document", meaning: "One object of a policy set",
            keys: [
                Key("apiVersion", .word([DocumentDecoder.version]), "The language", absent: nil),
                Key("kind", .word(kinds.map(\.kind)), "The kind of object", absent: nil),
                Key("metadata", .form("Metadata"), "Its name and its labels", absent: nil),
                Key("spec", .form(spec.name), spec.meaning, absent: "the same as an empty one", empty: "every key is absent"),
            ])
    }

    static func metadata(isNamespaced: Bool) -> Form {
        let namespace = Key("namespace", .name, "The namespace that it belongs to", absent: "it is global")
        return Form(
            name: isNamespaced ? "NamespacedMetadata" : "Metadata", meaning: "Name and labels of an object",
            keys: [
                Key("name", .name, "Its name, once for each kind and namespace", absent: nil),
                Key("labels", .labels, "Its labels: texts by name", absent: "none", empty: "none"),
            ] + (isNamespaced ? [namespace] : []))
    }

    static let zone = Form(
        name: "Zone", meaning: "A place with a name; the appliance's configuration says which port, VLAN and tunnel it is",
        keys: [
            Key(
                "on-link", .truth, "Whether its hosts are on this link, so that addresses may be bound to hardware addresses",
                absent: "false"),
            Key("dhcp-server", .truth, "Whether DHCP passes from clients to this zone, and back", absent: "false"),
            Key(
                "unjudged", .either([.word(Setting.self), .dictionary(.word(Setting.self))]),
                "What traffic from here gets that no side judges: for all destinations, or by the destination's zone",
                absent: "deny", empty: "deny, towards every zone"),
        ])

    static let workload = Form(
        name: "Workload", meaning: "A thing on the network that is known by its labels",
        keys: [
            Key(
                "addresses", .list(.prefix), "Its addresses: hosts or blocks, IPv4 and IPv6", absent: "it has none",
                empty: "it has none"),
            Key(
                "mac", .either([.hardwareAddress, .list(.hardwareAddress, atLeast: 1)]),
                "Hardware addresses from which it speaks; they bind in zones that say on-link", absent: "any",
                empty: "an error: it could never speak"),
            Key(
                "zones", .list(.name, atLeast: 1), "Zones that it may appear in", absent: "any",
                empty: "an error: it could appear nowhere"),
            Key("serviceAccount", .name, "The account that it runs as, of its own namespace", absent: "none"),
            Key(
                "services", .dictionary(.numbers), "Its own names for protocol and port", absent: "none", empty: "none"),
        ])

    static let namespace = Form(
        name: "Namespace", meaning: "Labels of a namespace, and what its workloads get where no policy isolates them",
        keys: [
            Key(
                "defaults", .form("Defaults"), "What its workloads get in each direction where no policy isolates them",
                absent: "deny in both directions", empty: "deny in both directions")
        ])

    static let defaults = Form(
        name: "Defaults", meaning: "What holds where no policy isolates",
        keys: [
            Key("ingress", .word(Setting.self), "For connections to its workloads", absent: "deny"),
            Key("egress", .word(Setting.self), "For connections of its workloads", absent: "deny"),
        ])

    static let serviceAccount = Form(
        name: "ServiceAccount", meaning: "An account that workloads run as; it has labels and says nothing else", keys: [])

    static let addressSet = Form(
        name: "AddressSet", meaning: "Addresses with labels that are nobody's workload: selectable, never isolated",
        keys: [
            Key("cidrs", .list(.prefix), "Addresses and blocks", absent: "none", empty: "none"),
            Key(
                "except", .list(.prefix), "Blocks that are left out of all of cidrs", absent: "nothing is left out",
                empty: "nothing is left out"),
            Key(
                "entries", .list(.form("AddressEntry")), "Addresses with more to say about each", absent: "none",
                empty: "none"),
        ])

    static let addressEntry = Form(
        name: "AddressEntry", meaning: "One block or DNS name of an address set",
        keys: [
            Key("cidr", .prefix, "An address or a block", absent: "it is a DNS name"),
            Key("dns", .text(), "A DNS name, or a pattern of names", absent: "it is a block"),
            Key(
                "except", .list(.prefix), "Blocks that are left out of this entry, and of no other",
                absent: "nothing is left out", empty: "nothing is left out"),
            Key(
                "service", .numbers, "The entry means this protocol and port at its addresses: it holds for destinations only",
                absent: "every service, and sources too"),
            Key("until", .time, "From then on the entry is as if absent", absent: "for ever"),
        ], exactlyOne: ["cidr", "dns"])

    static let entity = Form(
        name: "Entity", meaning: "A name for what terms match",
        keys: [
            Key("terms", .terms, "What it stands for: what one of these terms matches", absent: nil, empty: "it matches nothing")
        ])

    static let tier = Form(
        name: "Tier", meaning: "A stage in which policies are asked together",
        keys: [
            Key("layer", .word(Tier.Layer.self), "The layer that it belongs to", absent: "network"),
            Key("order", .number, "Its place in the layer, smaller first; the tier default has 1000000", absent: "last"),
            Key(
                "shape", .word(Tier.Shape.self), "Whether its policies come in order, or as a set in which a deny wins",
                absent: "ordered"),
            Key(
                "end", .word(Tier.End.self), "What becomes of what a policy of the tier isolates and no rule decided",
                absent: "deny"),
        ])
}

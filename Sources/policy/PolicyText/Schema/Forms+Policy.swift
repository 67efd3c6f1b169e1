// SPDX-License-Identifier: Apache-2.0
internal import Policy

extension Forms {
    static let policy = Form(
        name: "Policy", meaning: "Whom it speaks for, whether it isolates them, and its rules",
        keys: [
            Key("tier", .name, "The tier that it joins", absent: "default"),
            Key("order", .number, "Its place in an ordered tier, smaller first, ties by name", absent: "last"),
            Key(
                "subject", .form("Term"), "The workloads it speaks for", absent: "all of its namespace; all, if it is global",
                empty: "the same as absent: a term without conditions"),
            Key(
                "isolates", .form("Isolates"), "Whether what nothing decides is left to the tier's end",
                absent: "in no direction", empty: "in no direction"),
            Key("rules", .list(.form("Rule")), "Its rules, in order", absent: "none", empty: "none"),
            Key("mode", .word(Policy.Mode.self), "Whether it decides or only reports", absent: "enforce"),
            Key("track", .word(Policy.Tracking.self), "What its rules do that say nothing of their own", absent: "flow"),
            Key("expires", .time, "From then on it is as if absent", absent: "never"),
            Key(
                "change", .either([.word(["reevaluate", "keep", "reset"]), .form("Drain")]),
                "What becomes of live connections that it admitted when it stops admitting them", absent: "reevaluate"),
            Key("owner", .text(), "Who answers for it", absent: "nobody is named"),
            Key("ticket", .text(), "What asked for it", absent: "nothing is named"),
            Key("reason", .text(), "Why it is there", absent: "nothing is said"),
        ])

    static let isolates = Form(
        name: "Isolates", meaning: "For which services a policy isolates its subject",
        keys: [
            Key(
                "ingress", .either([.word(["none", "all"]), .services]), "Connections to the subject", absent: "none",
                empty: "for no service, which is none"),
            Key(
                "egress", .either([.word(["none", "all"]), .services]), "Connections of the subject", absent: "none",
                empty: "for no service, which is none"),
        ])

    static let drain = Form(
        name: "Drain", meaning: "Live connections go on for a while",
        keys: [Key("drain", .duration, "How long, 65535 seconds at most", absent: nil)])

    static let rule = Form(
        name: "Rule", meaning: "One sentence of a policy",
        keys: [
            Key("name", .name, "Its name, once in a policy; flow records carry it", absent: "its place in the list, from 1"),
            Key("action", .word(Rule.Action.self), "What it does with what it matches", absent: nil),
            Key("from", .terms, "It judges connections to the subject, from these", absent: "it has to", empty: "from nobody"),
            Key("to", .terms, "It judges connections of the subject, to these", absent: "it has from", empty: "to nobody"),
            Key(
                "subject", .form("Term"), "Narrows the policy's subject for this rule", absent: "not narrowed",
                empty: "not narrowed"),
            Key(
                "services", .services, "The services it speaks of", absent: "any service; if it allows, no tunnels",
                empty: "no service"),
            Key("notServices", .services, "Services it leaves out", absent: "none", empty: "none"),
            Key("family", .word(Rule.Family.self), "The version of the Internet Protocol it speaks of", absent: "both"),
            Key(
                "log", .text(pattern: "^[^\\x00-\\x1f]{1,128}$"), "A text for flow records, 128 bytes at most", absent: "none",
                empty: "an error"),
            Key("mode", .word(Policy.Mode.self), "Whether it decides or only reports", absent: "as the policy"),
            Key(
                "track", .word(Policy.Tracking.self), "Whether what it lets through becomes a flow, whose replies follow it",
                absent: "as the policy"),
            Key(
                "expectReplies", .duration, "For multicast and broadcast: how long unicast replies are let through",
                absent: "none are"),
            Key("expires", .time, "From then on it is as if absent", absent: "never, but with its policy"),
        ], exactlyOne: ["from", "to"])

    static let term = Form(
        name: "Term", meaning: "Who is meant: every key that is there must hold",
        keys: [
            Key(
                "selector", .selector, "Workloads and address sets whose labels it selects", absent: "not asked",
                empty: "all that have labels"),
            Key(
                "notSelector", .selector, "Everything but the workloads and address sets that it selects", absent: "not asked",
                empty: "nothing that has labels"),
            Key(
                "namespaceSelector", .selector, "Those of the namespaces that it selects",
                absent: "the policy's own namespace, or all if it is global", empty: "those of any namespace"),
            Key(
                "notNamespaceSelector", .selector, "Everything but those of the namespaces that it selects", absent: "not asked",
                empty: "nothing that has a namespace"),
            Key("serviceAccounts", .list(.name), "Workloads that run as one of these", absent: "not asked", empty: "nobody"),
            Key(
                "serviceAccountSelector", .selector, "Workloads that run as an account whose labels it selects",
                absent: "not asked", empty: "those that run as any account"),
            Key("principal", .form("Principal"), "Somebody whom an account names", absent: "not asked"),
            Key(
                "cidrs", .list(.prefix), "Addresses in one of these blocks, workloads or not", absent: "not asked",
                empty: "none"),
            Key("notCidrs", .list(.prefix), "Addresses in none of these blocks", absent: "not asked", empty: "every address"),
            Key("zones", .list(.name), "Addresses seen in one of these zones", absent: "not asked", empty: "none"),
            Key(
                "entities", .list(.name), "Members of one of these: built-in ones, or those of Entity documents",
                absent: "not asked", empty: "none"),
        ])

    static let principal = Form(
        name: "Principal", meaning: "Who it is by account, TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT, and how sure that must be",
        keys: [
            Key("names", .list(.pattern), "It looks like one of these", absent: "not asked", empty: "nobody"),
            Key(
                "notNames", .list(.pattern), "It looks like none of these, as who has no account", absent: "not asked",
                empty: "everybody"),
            Key("assurance", .word(Principal.Assurance.self), "How sure it must be", absent: "inventory"),
        ], atLeastOne: ["names", "notNames"])

    static let pattern = Form(
        name: "Pattern", meaning: "What a text must look like",
        keys: [
            Key("prefix", .text(), "How it starts", absent: "another key says it"),
            Key("suffix", .text(), "How it ends", absent: "another key says it"),
            Key("present", .yes, "It is there and not empty", absent: "another key says it"),
            Key("regex", .text(), "The whole of it, as an extended regular expression", absent: "another key says it"),
            Key("template", .text(), "A path with {*} for a segment and {**} for the rest", absent: "another key says it"),
        ], exactlyOne: ["prefix", "suffix", "present", "regex", "template"])

    static let labelSelector = Form(
        name: "LabelSelector", meaning: "A selector in the Kubernetes form: all of it must hold",
        keys: [
            Key("matchLabels", .labels, "Labels with these values", absent: "nothing is asked", empty: "nothing is asked"),
            Key(
                "matchExpressions", .list(.form("Requirement")), "What labels must be like", absent: "nothing is asked",
                empty: "nothing is asked"),
        ])

    static let requirement = Form(
        name: "Requirement", meaning: "What one label must be like",
        keys: [
            Key("key", .text(), "The label", absent: nil),
            Key("operator", .word(["In", "NotIn", "Exists", "DoesNotExist"]), "What it must be", absent: nil),
            Key("values", .texts, "For In and NotIn", absent: "none, for Exists and DoesNotExist", empty: "the same as absent"),
        ])
}

// SPDX-License-Identifier: Apache-2.0

/// Policies and rules that are refused, with the exact error.
let policyRefusals: [Refusal] = [
    Refusal(Sample.policy("tier: [a]"), "4:14: tier must be a text, not a list"),
    Refusal(Sample.policy("order: last"), "4:15: order must be a number, not \"last\""),
    Refusal(Sample.policy("order: '1'"), "4:15: order must be a number, not \"1\""),
    Refusal(Sample.policy("track: none, track: flow"), "4:21: the key \"track\" is there twice; remove one of them"),
    Refusal(Sample.policy("track: off"), "4:15: track must be one of flow, none, not \"off\""),
    Refusal(Sample.policy("isolates: all"), "4:18: isolates must be a mapping, not \"all\"; it may have ingress, egress"),
    Refusal(
        Sample.policy("isolates: {ingress: yes}"),
        "4:28: isolates.ingress must be none, all or a list of services, not \"yes\""),
    Refusal(
        Sample.policy("isolates: {ingress: al}"),
        "4:28: isolates.ingress must be none, all or a list of services, not \"al\"; did you mean \"all\"?"),
    Refusal(
        Sample.policy("isolates: {ingress: [web]}"),
        "4:29: isolates.ingress may name no service \"web\"; write it as protocol and port"),
    Refusal(
        Sample.policy("isolates: {egress: [{service: tcp/1, sourcePorts: [2]}]}"),
        "4:28: isolates.egress is a list of protocols and ports alone"),
    Refusal(Sample.policy("mode: audti"), "4:14: mode must be one of enforce, audit, not \"audti\"; did you mean \"audit\"?"),
    Refusal(
        Sample.policy("expires: tomorrow"), "4:17: expires must be a point in time, as 2027-01-31T18:00:00Z, not \"tomorrow\""),
    Refusal(
        Sample.policy("expires: 2027-02-30T00:00:00Z"),
        "4:17: expires must be a point in time, as 2027-01-31T18:00:00Z, not \"2027-02-30T00:00:00Z\""),
    Refusal(
        Sample.policy("change: {drain: 30}"),
        "4:24: drain must be a length of time, and 30 has no unit; write 30s for seconds, or m, h, d"),
    Refusal(
        Sample.policy("change: {drain: 5w}"),
        "4:24: drain must be a whole number with a unit, as 30s, 5m, 2h or 1d, not \"5w\""),
    Refusal(
        Sample.policy("change: {drain: 0s}"),
        "4:24: drain must be 1s to 65535s, not 0s; write 1s or more"),
    Refusal(
        Sample.policy("change: {drain: 366d}"),
        "4:24: drain must be 1s to 65535s, not 366d; write 65535s or less"),
    Refusal(
        Sample.policy("change: {drain: 65536s}"),
        "4:24: drain must be 1s to 65535s, not 65536s; write 65535s or less"
    ),
    Refusal(Sample.policy("change: {}"), "4:16: change needs the key \"drain\""),
    Refusal(
        Sample.policy("change: kep"),
        "4:16: change must be reevaluate, keep, reset or {drain: 30s}, not \"kep\"; did you mean \"keep\"?"),
    Refusal(Sample.policy("owner: 7"), "4:15: owner must be a text, not the number 7; write \"7\" in quotes"),
    Refusal(Sample.policy("rules: {}"), "4:15: rules must be a list, not a mapping"),
    Refusal(Sample.policy("subject: {selector: ~}"), "4:28: selector says nothing; write a text, or leave the key out"),
    Refusal(
        Sample.policy("subject: {entities: [outside, multicast]}"),
        "4:17: subject is no workload: outside, multicast has no side that could be judged; name it as the peer of a rule"),
    Refusal(
        Sample.rule("name: a, action: allow, from: {}}, {name: a, action: deny, from: {}"),
        "4:52: two rules of Policy \"x\" are called \"a\"; the first one is at f.yaml:4:16; rename one of them"),
    Refusal(
        Sample.rule("name: '2', action: allow, from: {}}, {action: deny, from: {}"),
        "4:54: two rules of Policy \"x\" are called \"2\"; the first one is at f.yaml:4:16; rename one of them"),
    Refusal(
        Sample.head + "kind: Policy\nmetadata: {name: p, namespace: n}\nspec: {subject: {namespaceSelector: all()}}",
        "4:17: a policy in the namespace \"n\" speaks for workloads of that namespace only; leave namespaceSelector "
            + "out, or make the policy global"),
    Refusal(
        Sample.head
            + "kind: Policy\nmetadata: {name: p, namespace: n}\nspec: {rules: [{action: deny, from: {}, subject: {namespaceSelector: all()}}]}",
        "4:50: a policy in the namespace \"n\" speaks for workloads of that namespace only; leave namespaceSelector "
            + "out, or make the policy global"),
    Refusal(Sample.rule("from: {}"), "4:16: a rule needs the key \"action\""),
    Refusal(
        Sample.rule("action: allow"),
        "4:16: a rule needs \"from\" or \"to\"; \"from\" judges connections to the subject, \"to\" those of the subject"),
    Refusal(
        Sample.peer("}, to: {"),
        "4:16: a rule cannot have both \"from\" and \"to\"; \"from\" judges connections to the subject, \"to\" those "
            + "of the subject"),
    Refusal(Sample.rule("action: drop, from: {}"), "4:25: action must be one of allow, deny, reject, pass, log, not \"drop\""),
    Refusal(Sample.rule("action: allow, form: {}"), "4:32: a rule has no key \"form\"; did you mean \"from\"?"),
    Refusal(Sample.rule("action: allow, from: null"), "4:38: from says nothing; write a mapping, or leave the key out"),
    Refusal(
        Sample.rule("action: allow, from: {}, family: ipv4"),
        "4:50: family must be one of IPv4, IPv6, not \"ipv4\"; did you mean \"IPv4\"?"),
    Refusal(
        Sample.rule("action: allow, from: {}, log: ''"),
        "4:47: log must be a text of 1 to 128 bytes without control characters"),
    Refusal(
        Sample.rule("action: allow, from: {}, expectReplies: 5s"),
        "4:42: only a rule that allows, with \"to\", can expect replies"),
    Refusal(
        Sample.rule("action: deny, to: {}, expectReplies: 5s"),
        "4:39: only a rule that allows, with \"to\", can expect replies"),
    Refusal(
        Sample.rule("action: allow, to: {}, expectReplies: 5"),
        "4:55: expectReplies must be a length of time, and 5 has no unit; write 5s for seconds, or m, h, d"),
    Refusal(
        Sample.rule("action: allow, from: {}, name: 'a b'"),
        "4:48: a rule's name \"a b\" is no name; use letters, digits, \".\", \"_\" and \"-\", 253 at most"),
]

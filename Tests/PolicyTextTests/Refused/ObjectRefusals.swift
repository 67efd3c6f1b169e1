// SPDX-License-Identifier: Apache-2.0

/// Documents that are no objects, and objects that are no policies, with the exact error.
let objectRefusals: [Refusal] = [
    Refusal(
        Sample.head + "kind: Policy\nmetadata: {name: p}\nspec: {subjct: {}}",
        "4:8: the spec of a Policy has no key \"subjct\"; did you mean \"subject\"?"),
    Refusal(Sample.head + "kind: Polcy\nmetadata: {name: p}", "2:7: there is no kind \"Polcy\"; did you mean \"Policy\"?"),
    Refusal(
        Sample.head + "kind: Gateway\nmetadata: {name: p}",
        "2:7: there is no kind \"Gateway\"; there are Zone, Workload, Namespace, ServiceAccount, AddressSet, Entity, "
            + "Tier, Policy"),
    Refusal("apiVersion: v1\nkind: Pod\nmetadata: {name: p}", "1:13: apiVersion must be bulkhead/v1, not \"v1\""),
    Refusal("apiVersion: 1\nkind: Pod", "1:13: apiVersion must be a text, not the number 1; write \"1\" in quotes"),
    Refusal("kind: Zone", "1:1: a document needs the key \"apiVersion\""),
    Refusal(Sample.head + "metadata: {name: z}", "1:1: a document needs the key \"kind\""),
    Refusal(Sample.head + "kind: Zone", "1:1: a document needs the key \"metadata\""),
    Refusal(Sample.head + "kind: Zone\nmetadata: {}", "3:11: metadata needs the key \"name\""),
    Refusal(
        Sample.head + "kind: Zone\nmetadata: {name: z}\nspec: ~",
        "4:7: the spec of a Zone says nothing; write a mapping, or leave the key out"),
    Refusal(
        Sample.head + "kind: Zone\nmetadata: {name: z}\nspecs: {}",
        "4:1: a document has no key \"specs\"; did you mean \"spec\"?"),
    Refusal("- 1", "1:1: a document must be a mapping, not a list"),
    Refusal(
        Sample.head + "kind: Zone\nmetadata: {name: z, name: y}", "3:21: the key \"name\" is there twice; remove one of them"),
    Refusal(
        Sample.head + "kind: Zone\nmetadata: {name: -z}",
        "3:18: metadata.name \"-z\" is no name; use letters, digits, \".\", \"_\" and \"-\", 253 at most"),
    Refusal(
        Sample.head + "kind: Zone\nmetadata: {name: z, namespace: n}",
        "3:21: metadata has no key \"namespace\"; it may have name, labels"),
    Refusal(
        Sample.head + "kind: Workload\nmetadata: {name: w, namespace: 'a b'}",
        "3:32: metadata.namespace \"a b\" is no name; use letters, digits, \".\", \"_\" and \"-\", 253 at most"),
    Refusal(
        Sample.head + "kind: Workload\nmetadata: {name: w, labels: {n: 1}}",
        "3:33: the label \"n\" must be a text, not the number 1; write \"1\" in quotes"),
    Refusal(
        Sample.head + "kind: Workload\nmetadata: {name: w, labels: {n: ~}}",
        "3:33: the label \"n\" says nothing; write a text, or leave the key out"),
    Refusal(
        Sample.head + "kind: Workload\nmetadata: {name: w, labels: [a]}",
        "3:29: metadata.labels must be a mapping, not a list; write it as {NAME: …}"),
    Refusal(Sample.object("Zone", "on-link: yes"), "4:17: on-link must be true or false, not \"yes\""),
    Refusal(Sample.object("Zone", "on_link: true"), "4:8: the spec of a Zone has no key \"on_link\"; did you mean \"on-link\"?"),
    Refusal(Sample.object("Zone", "dhcp-server: 1"), "4:21: dhcp-server must be true or false, not the number 1"),
    Refusal(Sample.object("Zone", "unjudged: maybe"), "4:18: unjudged must be one of deny, audit, allow, not \"maybe\""),
    Refusal(
        Sample.object("Zone", "unjudged: {wan: denied}"),
        "4:24: unjudged towards wan must be one of deny, audit, allow, not \"denied\""),
    Refusal(
        Sample.object("Zone", "unjudged: ~"), "4:18: unjudged says nothing; write one of deny, audit, allow, or leave the key out"
    ),
    Refusal(
        Sample.object("Workload", "addresses: [10.0.0.1/8]"),
        "4:20: \"10.0.0.1/8\" has bits set behind its length; write 10.0.0.0/8, or 10.0.0.1 for the one address"),
    Refusal(
        Sample.object("Workload", "addresses: 10.0.0.1"),
        "4:19: addresses must be a list, not \"10.0.0.1\"; write it in brackets: [10.0.0.1]"),
    Refusal(
        Sample.object("Workload", "mac: 02:00:00:00:00"),
        "4:13: \"02:00:00:00:00\" is no hardware address; write it as 02:00:00:00:00:01"),
    Refusal(
        Sample.object("Workload", "mac: 'ff:ff:ff:ff:ff:ff'"),
        "4:13: ff:ff:ff:ff:ff:ff is not the address of one interface; write the one that it sends from"),
    Refusal(
        Sample.object("Workload", "mac: []"), "4:13: mac is empty, so that the workload could never speak; leave the key out"),
    Refusal(
        Sample.object("Workload", "mac: [\"02:00:00:00:00:01\", 7]"),
        "4:35: \"7\" is no hardware address; write it as 02:00:00:00:00:01"),
    Refusal(
        Sample.object("Workload", "zones: []"),
        "4:15: zones is empty, so that the workload may appear nowhere; leave the key out"),
    Refusal(
        Sample.object("Workload", "zones: [a/b]"),
        "4:16: an item of zones \"a/b\" is no name; use letters, digits, \".\", \"_\" and \"-\", 253 at most"),
    Refusal(Sample.object("Workload", "serviceAccount: [a]"), "4:24: serviceAccount must be a text, not a list"),
    Refusal(Sample.object("Workload", "services: {tcp: tcp/1}"), "4:19: \"tcp\" cannot be a name of one's own for a service"),
    Refusal(
        Sample.object("Workload", "services: {web: any}"),
        "4:24: a named service must be a protocol with numbers, as tcp/5432"),
    Refusal(
        Sample.object("Workload", "services: {vxlan: udp/4789}"),
        "4:19: \"vxlan\" cannot be a name of one's own for a service"),
    Refusal(
        Sample.object("Workload", "services: {web: http}"),
        "4:24: a named service must be a protocol with numbers, as tcp/5432"),
    Refusal(
        Sample.object("Workload", "services: {1: tcp/1}"),
        "4:19: \"1\" is no service; write tcp/5432, udp/1000-2000, icmp/8.0, any, or a name of the destination's"),
    Refusal(
        Sample.object("Namespace", "defaults: {ingres: allow}"),
        "4:19: defaults has no key \"ingres\"; did you mean \"ingress\"?"),
    Refusal(
        Sample.object("Namespace", "defaults: {ingress: permit}"),
        "4:28: ingress must be one of deny, audit, allow, not \"permit\""),
    Refusal(
        Sample.object("ServiceAccount", "labels: {}"), "4:8: the spec of a ServiceAccount has no key \"labels\"; it has none"),
    Refusal(
        Sample.object("AddressSet", "cidrs: [10.0.0.0/8], except: [x]"),
        "4:38: \"x\" is no address and no CIDR block; write 10.0.0.1, 10.0.0.0/8 or fd00::/8"),
    Refusal(
        Sample.object("AddressSet", "except: [10.0.0.0/8]"),
        "4:8: \"except\" leaves out of \"cidrs\", and there is none; put it beside the \"cidr\" of an entry"),
    Refusal(Sample.object("AddressSet", "entries: [{}]"), "4:18: an entry needs either \"cidr\" or \"dns\""),
    Refusal(
        Sample.object("AddressSet", "entries: [{cidr: 10.0.0.0/8, dns: a.b}]"),
        "4:18: an entry needs either \"cidr\" or \"dns\""),
    Refusal(
        Sample.object("AddressSet", "entries: [{dns: 'a..b'}]"),
        "4:24: \"a..b\" is no DNS name; write www.example.com, *.example.com for one label, or **.example.com for one or more"),
    Refusal(
        Sample.object("AddressSet", "entries: [{dns: 'a.**b.c'}]"),
        "4:24: \"a.**b.c\" is no DNS name; write www.example.com, *.example.com for one label, or **.example.com for "
            + "one or more"),
    Refusal(
        Sample.object("AddressSet", "entries: [{cidr: 10.0.0.0/8, service: sql}]"),
        "4:46: an entry's service must be a protocol with numbers, as tcp/5432"),
    Refusal(
        Sample.object("AddressSet", "entries: [{cidr: 10.0.0.0/8, until: soon}]"),
        "4:44: until must be a point in time, as 2027-01-31T18:00:00Z, not \"soon\""),
    Refusal(Sample.object("Entity", ""), "4:7: the spec of an Entity needs the key \"terms\""),
    Refusal(Sample.object("Entity", "terms: {selectr: a}"), "4:16: terms has no key \"selectr\"; did you mean \"selector\"?"),
    Refusal(
        Sample.head + "kind: Entity\nmetadata: {name: outside}\nspec: {terms: []}",
        "1:1: the entity \"outside\" is built in; give yours another name"),
    Refusal(Sample.object("Tier", "layer: wire"), "4:15: layer must be one of zone, network, mesh, not \"wire\""),
    Refusal(Sample.object("Tier", "order: first"), "4:15: order must be a number, not \"first\""),
    Refusal(Sample.object("Tier", "shape: list"), "4:15: shape must be one of ordered, set, not \"list\""),
    Refusal(Sample.object("Tier", "end: allow"), "4:13: end must be one of deny, pass, audit, not \"allow\""),
]

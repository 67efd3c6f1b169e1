// SPDX-License-Identifier: Apache-2.0

/// Terms and services that are refused, with the exact error.
let termRefusals: [Refusal] = [
    Refusal(
        Sample.peer("selector: 'a = b'"),
        "4:49: selector: behind \"a\" must come ==, !=, in, not in, contains, starts with or ends with, at character 3 "
            + "of 'a = b'"),
    Refusal(
        Sample.peer("selector: 'global()'"),
        "4:49: selector: global() may only stand alone in a namespaceSelector, at character 1 of 'global()'"),
    Refusal(Sample.peer("selector: {matchLabel: {}}"), "4:50: selector has no key \"matchLabel\"; did you mean \"matchLabels\"?"),
    Refusal(Sample.peer("selector: {matchExpressions: [{key: a, operator: In}]}"), "4:69: the operator In needs values"),
    Refusal(
        Sample.peer("selector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
        "4:69: the operator Exists takes no values"),
    Refusal(
        Sample.peer("selector: {matchExpressions: [{key: a, operator: Gt, values: [b]}]}"),
        "4:88: operator must be one of In, NotIn, Exists, DoesNotExist, not \"Gt\""),
    Refusal(Sample.peer("selector: {matchExpressions: [{operator: Exists}]}"), "4:69: a match expression needs the key \"key\""),
    Refusal(Sample.peer("matchLabels: {a: b}"), "4:39: from has no key \"matchLabels\"; put it under \"selector\""),
    Refusal(
        Sample.peer("notNamespaceSelector: 'global() || all()'"),
        "4:61: notNamespaceSelector: global() may only stand alone in a namespaceSelector, at character 1 of 'global() "
            + "|| all()'"),
    Refusal(
        Sample.peer("serviceAccountSelector: 'global()'"),
        "4:63: serviceAccountSelector: global() may only stand alone in a namespaceSelector, at character 1 of 'global()'"),
    Refusal(
        Sample.peer("serviceAccounts: web"), "4:56: serviceAccounts must be a list, not \"web\"; write it in brackets: [web]"),
    Refusal(
        Sample.peer("cidrs: [10.0.0.0/33]"),
        "4:47: \"10.0.0.0/33\" is no block: the length of an IPv4 block is 0 to 32"),
    Refusal(
        Sample.peer("notCidrs: [10.1]"),
        "4:50: \"10.1\" is no address and no CIDR block; write 10.0.0.1, 10.0.0.0/8 or fd00::/8"),
    Refusal(Sample.peer("zones: lan"), "4:46: zones must be a list, not \"lan\"; write it in brackets: [lan]"),
    Refusal(
        Sample.peer("entities: [Outside!]"),
        "4:50: an item of entities \"Outside!\" is no name; use letters, digits, \".\", \"_\" and \"-\", 253 at most"),
    Refusal(Sample.peer("principal: x"), "4:50: principal must be a mapping, not \"x\"; it may have names, notNames, assurance"),
    Refusal(Sample.peer("principal: {}"), "4:50: a principal needs \"names\" or \"notNames\""),
    Refusal(
        Sample.peer("principal: {names: [a], assurance: proven}"),
        "4:74: assurance must be one of inventory, bound, certificate, not \"proven\""),
    Refusal(
        Sample.peer("principal: {names: [{regex: a}]}"),
        "4:59: a principal is no path and no regular expression; use a text, prefix, suffix or present"),
    Refusal(
        Sample.peer("principal: {names: [{prefix: a, suffix: b}]}"),
        "4:59: an item of names must have one key of prefix, suffix, present, regex, template"),
    Refusal(
        Sample.peer("principal: {notNames: [{present: false}]}"),
        "4:72: present can only be true; leave it out, or negate the list that it stands in"),
    Refusal(Sample.peer("principal: {names: [{suffix: ''}]}"), "4:68: suffix is empty"),
    Refusal(
        Sample.service("tcp/70000"),
        "4:51: \"tcp/70000\" is no service; write a port from 0 to 65535, as tcp/443, or a range, as tcp/1000-2000"),
    Refusal(
        Sample.service("tcp/2-1"),
        "4:51: \"tcp/2-1\" is no service; write a port from 0 to 65535, as tcp/443, or a range, as tcp/1000-2000"),
    Refusal(
        Sample.service("tcp/+1"),
        "4:51: \"tcp/+1\" is no service; write a port from 0 to 65535, as tcp/443, or a range, as tcp/1000-2000"),
    Refusal(
        Sample.service("tcp/"),
        "4:51: \"tcp/\" is no service; write a port from 0 to 65535, as tcp/443, or a range, as tcp/1000-2000"),
    Refusal(
        Sample.service("icmp/8.0.0"),
        "4:51: \"icmp/8.0.0\" is no service; write type and code, as icmp/8.0, or the type alone, as icmp/8"),
    Refusal(
        Sample.service("icmp6/256"),
        "4:51: \"icmp6/256\" is no service; write type and code, as icmp6/8.0, or the type alone, as icmp6/8"),
    Refusal(Sample.service("tpc/1"), "4:51: there is no protocol \"tpc\" with ports; did you mean \"tcp\"?"),
    Refusal(Sample.service("gre/1"), "4:51: there is no protocol \"gre\" with ports; there are tcp, udp, sctp, icmp and icmp6"),
    Refusal(Sample.service("256"), "4:51: a protocol's number is at most 255, not 256"),
    Refusal(Sample.service("-1"), "4:51: a protocol's number is at most 255, not -1"),
    Refusal(
        Sample.service("'1.5'"),
        "4:51: \"1.5\" is no service; write tcp/5432, udp/1000-2000, icmp/8.0, any, or a name of the destination's"),
    Refusal(
        Sample.service("1.5"),
        "4:51: \"1.5\" is no service; write tcp/5432, udp/1000-2000, icmp/8.0, any, or a name of the destination's"),
    Refusal(
        Sample.service("''"),
        "4:51: \"\" is no service; write tcp/5432, udp/1000-2000, icmp/8.0, any, or a name of the destination's"),
    Refusal(
        Sample.rule("action: allow, from: {}, services: tcp/1"),
        "4:52: services must be a list, not \"tcp/1\"; write it in brackets: [tcp/1]"),
    Refusal(Sample.service("{}"), "4:51: a service needs the key \"service\""),
    Refusal(
        Sample.service("{service: tcp/1, sourceport: [1]}"),
        "4:68: a service has no key \"sourceport\"; did you mean \"sourcePorts\"?"),
    Refusal(
        Sample.service("{service: tcp/1, sourcePorts: []}"),
        "4:81: sourcePorts is empty, so that the service matches nothing; leave the key out"),
    Refusal(
        Sample.service("{service: icmp/8, sourcePorts: [1]}"),
        "4:82: icmp/8 has no source ports; they belong to tcp, udp and sctp"),
    Refusal(
        Sample.service("{service: any, sourcePorts: [1]}"), "4:79: any has no source ports; they belong to tcp, udp and sctp"),
    Refusal(
        Sample.service("{service: tcp/1, sourcePorts: [1-70000]}"),
        "4:82: \"1-70000\" is no port; write a number from 0 to 65535, or a range, as \"1024-65535\""),
    Refusal(
        Sample.service("{service: tcp/1, sourcePorts: [true]}"),
        "4:82: true is no port; write a number from 0 to 65535, or a range, as \"1024-65535\""),
    Refusal(
        Sample.service("{service: tcp/80, http: [], tls: [a.b]}"),
        "4:79: a service has one layer-7 program, not http and tls; write a service for each"),
    Refusal(Sample.service("{service: udp/80, http: []}"), "4:69: http is not spoken over udp/80; it belongs to tcp"),
    Refusal(Sample.service("{service: udp/443, tls: [a.b]}"), "4:70: tls is not spoken over udp/443; it belongs to tcp"),
    Refusal(Sample.service("{service: sctp/53, dns: [a.b]}"), "4:70: dns is not spoken over sctp/53; it belongs to tcp and udp"),
    Refusal(Sample.service("{service: tcp/443, tls: []}"), "4:75: tls is empty, so that the service matches nothing"),
    Refusal(
        Sample.service("{service: udp/53, dns: ['*..x']}"),
        "4:75: \"*..x\" is no DNS name; write www.example.com, *.example.com for one label, or **.example.com for one or more"),
    Refusal(
        Sample.service("{service: tcp/80, priority: 1}"),
        "4:69: \"priority\" orders layer-7 programs, and the service has none; give it http, tls or dns"),
    Refusal(
        Sample.service("{service: tcp/80, http: [], priority: 0}"), "4:89: priority must be a whole number from 1 to 65535, not 0"
    ),
    Refusal(
        Sample.service("{service: tcp/80, http: [{method: [GET]}]}"),
        "4:77: an item of http has no key \"method\"; did you mean \"methods\"?"),
    Refusal(
        Sample.service("{service: tcp/80, http: [{paths: [{prefx: /a}]}]}"),
        "4:86: an item of paths has no key \"prefx\"; did you mean \"prefix\"?"),
    Refusal(
        Sample.service("{service: tcp/80, http: [{headers: [a]}]}"),
        "4:86: headers must be a mapping, not a list; write it as {NAME: …}"),
]

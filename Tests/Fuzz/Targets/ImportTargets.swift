// SPDX-License-Identifier: Apache-2.0
import Dialects
import Policy
import PolicyText
import TestSupport

extension FuzzTarget {
    private static let demand = "is a set that is written and read back as it was, or is refused with places inside of it"

    /// Kubernetes objects: the input is the text of a file.
    static let kubernetes = FuzzTarget(
        "kubernetes", "a text of objects \(demand)", seeds: ForeignTexts.kubernetes, mutate: ForeignTexts.mutatedObjects,
        flaw: { ForeignTexts.flaw($0, .kubernetes) })

    /// The INI form of an Ansible inventory: the input is the text of a file.
    static let ansible = FuzzTarget(
        "ansible", "an inventory \(demand)", seeds: ForeignTexts.ansible, mutate: ForeignTexts.mutatedInventory,
        flaw: { ForeignTexts.flaw($0, .ansible) })

    /// Comma-separated values: the input is the text of a file.
    static let csv = FuzzTarget(
        "csv", "a table \(demand)", seeds: ForeignTexts.csv, mutate: ForeignTexts.mutatedInventory,
        flaw: { ForeignTexts.flaw($0, .csv) })
}

private enum ForeignTexts {
    private static let words = [
        "{}", "[]", "null", "{", "}", "[", "]", ": ", ", ", "- ", "\n---\n", "policyTypes: [Egress]", "podSelector: {}",
        "namespaceSelector: {}", "ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}", "matchLabels: {a: b}", "port: web",
        "port: 80",
        "endPort: 90", "protocol: UDP", "operator: NotIn", "values: [a]", "hostNetwork: true", "phase: Failed", "kind: List",
        "items: ", "apiVersion: v1", "::/0", "restartPolicy: Always",
    ]
    private static let inventoryWords = [
        "\"", "'", ",", ";", "=", "#", "\n", "\r\n", "[", "]", ":", "[01:10]", "[a:c]", ":children]", ":vars]", "[web]",
        "10.0.0.1",
        "fd00::1", "bulkhead_labels=", "bulkhead_addresses=", "ansible_host=", "ansible_connection=local", "label.x", "\\", "{{",
        "\u{feff}",
    ]

    @Sendable static func kubernetes() -> [FuzzTarget.Seed] {
        let pod = """
            apiVersion: v1
            kind: Pod
            metadata: {name: a, namespace: n, labels: {app: a}}
            spec: {containers: [{name: c, ports: [{name: web, containerPort: 80}, {name: tcp, protocol: UDP, containerPort: 9}]}]}
            status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: "fd00::1"}]}
            """
        let policy = """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: p, namespace: n}
            spec:
              podSelector: {matchExpressions: [{key: env, operator: NotIn, values: [prod]}]}
              policyTypes: [Ingress, Egress]
              ingress: [{from: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: web}]}, {}]
              egress: [{to: [{namespaceSelector: {}, podSelector: {matchLabels: {a: b}}}], ports: [{port: 1, endPort: 9}]}]
            """
        let rest = """
            {apiVersion: v1, kind: PodList, items: [{metadata: {name: b}}]}
            ---
            {apiVersion: v1, kind: Namespace, metadata: {name: n, labels: {x: y}}}
            ---
            {apiVersion: v1, kind: ServiceAccount, metadata: {name: s, namespace: n}}
            """
        let texts = [("a pod", pod), ("a policy", policy), ("the rest", rest), ("all", "\(pod)\n---\n\(policy)\n---\n\(rest)")]
        return texts.map { ($0.0, Array($0.1.utf8)) }
    }

    @Sendable static func ansible() -> [FuzzTarget.Seed] {
        let hosts = "10.0.0.1 bulkhead_labels='x=y;z=w' # one\n[web]\n10.0.1.[1:9:2]:22 ansible_user=x\n"
        let groups =
            "[web]\na ansible_host=10.0.0.1\n[web:vars]\nbulkhead_services = http=tcp/80\n[top:children]\nweb\n[top:vars]\nk=v\n"
        return [("hosts", Array(hosts.utf8)), ("groups", Array(groups.utf8))]
    }

    @Sendable static func csv() -> [FuzzTarget.Seed] {
        let text =
            "name,namespace,labels,label.x,addresses,zones,mac,services\r\n\"a\",n,\"k=v;l=\",\"q\"\"\n\",10.0.0.1;fd00::/64,lan,02:00:00:00:00:01,a=udp"
        return [("a table", Array(text.utf8))]
    }

    @Sendable static func mutatedObjects(_ input: [UInt8], _ random: inout PacketRandom) -> [UInt8] {
        TextChange.mutated(input, words: words, &random)
    }

    @Sendable static func mutatedInventory(_ input: [UInt8], _ random: inout PacketRandom) -> [UInt8] {
        TextChange.mutated(input, words: inventoryWords, &random)
    }

    private static func set(_ text: String, _ dialect: Dialect) throws(PolicyError) -> PolicySet {
        guard dialect != .kubernetes else {
            return try PolicySet(try decode(text, file: "f", dialects: [dialect.reader(isLossy: true)]))
        }
        return try PolicySet(try dialect.reader(isLossy: true).read(text, file: "f").documents)
    }

    static func flaw(_ input: [UInt8], _ dialect: Dialect) -> String? {
        let text = String(decoding: input, as: UTF8.self)
        let written: String
        do throws(PolicyError) {
            written = try set(text, dialect).yaml
        } catch {
            let places = error.all.map(\.place)
            let isPlaced = places.allSatisfy { $0.file == "f" && $0.line >= 1 && $0.column >= 1 }
            return isPlaced && places.count <= PolicyError.most ? nil : "errors at \(places)"
        }
        do throws(PolicyError) {
            let again = try PolicySet(try decode(written, file: "written")).yaml
            return again == written ? nil : "written differently when read back:\n\(written)\n\(again)"
        } catch {
            return "what was written is refused: \(error)\n\(written)"
        }
    }
}

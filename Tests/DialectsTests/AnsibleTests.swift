// SPDX-License-Identifier: Apache-2.0
import Dialects
import Net
import Policy
import PolicyText
import Testing

/// Reads an inventory in either form, as the file's name says.
private func inventory(_ text: String, _ file: String, isLossy: Bool = false) throws(PolicyError) -> ForeignReading {
    let reader = Dialect.ansible.reader(isLossy: isLossy, isAlone: true)
    guard !reader.claims(file: file) else { return try reader.read(text, file: file) }
    let values = try YAMLReader.documents(text, file: file)
    return try reader.read(values.map { ForeignDocument(apiVersion: "", kind: "", value: $0) })
}

private func workloads(_ text: String, _ file: String = "hosts") throws -> [Workload] {
    try inventory(text, file).documents.compactMap { document in
        if case .workload(let workload) = document { workload } else { nil }
    }
}

private let ini = """
    # Machines of the shop.
    bastion ansible_host=10.0.0.1  ; behind a word a semicolon is text to Ansible too

    [web]
    web[01:03].shop.example ansible_user=deploy
    [web:vars]
    bulkhead_services = http=tcp/80;https=tcp/443

    [db]
    db-[a:b]:2222 ansible_host="10.0.2.1" bulkhead_labels='app=db;note=with blank'

    [shop:children]
    web
    db   # both

    [shop:vars]
    bulkhead_namespace=shop
    env=prod
    [all:vars]
    bulkhead_label_vars="env"
    """

private let refused: [(String, String, String)] = [
    (
        "hosts", "a ansible_host=db.example",
        "1:16: the host a has no address: \"db.example\" is a name, and names are not resolved"
    ),
    ("hosts", "db.example", "1:1: the host db.example has no address: \"db.example\" is a name, and names are not resolved"),
    ("hosts", "10.0.0.1 ansible_host={{x}}", "1:23: ansible_host is a template, and templates are not filled in; write what"),
    ("hosts", "10.0.0.1 x", "1:10: \"x\" is no variable; write key=value"),
    ("hosts", "10.0.0.1 x=\"y", "1:10: the quote is not closed"),
    ("hosts", "[web", "1:1: the heading is not closed"),
    ("hosts", "[web:childern]\na", "1:1: there is no section \"childern\" of a group; did you mean \"children\"?"),
    ("hosts", "[a:children]\nb", "2:1: there is no group \"b\"; give it a section, or remove the word"),
    ("hosts", "[shop]\n10.0.0.1\n[sohp:vars]\nx=1", "3:1: there is no group \"sohp\"; did you mean \"shop\"?"),
    ("hosts", "[a:children]\nb\n[b:children]\na", "1:1: the group \"a\" is its own descendant"),
    ("hosts", "[a:vars]\nx", "2:1: a line of variables must be key = value"),
    ("hosts", "w[3:1]", "1:1: the host \"w[3:1]\": [3:1] is no range; write web[01:10] for web01 to web10"),
    ("hosts", "w[1:2", "1:1: the host \"w[1:2\": a range is not closed"),
    ("hosts", "w[01:100]", "1:1: the host \"w[01:100]\": the ends of [01:100] are not equally wide"),
    ("hosts", "w[0:9999999]", "1:1: the host \"w[0:9999999]\": [0:9999999] is too large"),
    ("hosts", "w[1:1000][1:1000][1:2]", "1:1: the host \"w[1:1000][1:1000][1:2]\": stands for more than 1000000 hosts"),
    ("hosts", "w:ssh", "1:1: the host \"w:ssh\": what is behind \":\" is no port"),
    ("hosts", "10.0.0.1 bulkhead_zone=lan", "1:24: there is no variable \"bulkhead_zone\"; did you mean \"bulkhead_zones\"?"),
    ("hosts", "a bulkhead_addresses=10.0.0.1;x", "1:31: \"x\" is no address and no CIDR block"),
    ("hosts", "[bad group!]\n10.0.0.1", "1:1: the group \"bad group!\" cannot be part of a label"),
    ("i.yaml", "all: {hosts: {a: {ansible_host: 10.0.0.1, bulkhead_labels: [x]}}}", "1:60: bulkhead_labels must be"),
    ("i.yaml", "all: {host: {}}", "1:7: the group \"all\" has no key \"host\"; did you mean \"hosts\"?"),
    ("i.yaml", "all: {hosts: {a: {x: !vault y}}}", "1:22: the tag !vault is not read"),
    ("i.yaml", "all: {hosts: [a]}", "1:14: hosts must be a mapping, not a list"),
    ("i.yaml", "all: {children: {a: {children: {b: {children: {a: }}}}}}", "1:18: the group \"a\" is its own descendant"),
]

@Suite struct AnsibleInventories {
    @Test func `hosts of the INI form are workloads with their groups as labels`() throws {
        let addressed = ini.replacing("web[01:03].shop.example", with: "10.0.1.[1:3]").replacing("db-[a:b]", with: "db-a")
            .replacing("bastion", with: "bastion.example").replacing(
                "  ; behind a word a semicolon is text to Ansible too", with: "")
        let workloads = try workloads(addressed)
        #expect(
            workloads.map(\.name.description) == [
                "bastion.example", "shop/10.0.1.1", "shop/10.0.1.2", "shop/10.0.1.3", "shop/db-a",
            ])
        #expect(
            workloads.map { $0.addresses.map { "\($0.address)" } } == [
                ["10.0.0.1"], ["10.0.1.1"], ["10.0.1.2"], ["10.0.1.3"], ["10.0.2.1"],
            ])
        #expect(workloads[0].labels == [:])
        #expect(workloads[1].labels == ["group.web": "true", "group.shop": "true", "env": "prod"])
        #expect(
            workloads[4].labels == ["group.db": "true", "group.shop": "true", "env": "prod", "app": "db", "note": "with blank"])
        #expect(
            workloads[2].services == ["http": ServiceRange(.tcp, ports: 80...80), "https": ServiceRange(.tcp, ports: 443...443)])
        #expect(workloads[1].place == Place(file: "hosts", line: 5, column: 1))
    }

    @Test func `hosts of the YAML form are the same`() throws {
        let workloads = try workloads(
            """
            all:
              hosts:
                bastion: {ansible_host: 10.0.0.1, rack: 12, is_old: true, bulkhead_label_vars: [rack, is_old]}
                gone: {ansible_connection: local}
              vars:
                bulkhead_zones: [lan]
              children:
                shop:
                  vars: {bulkhead_namespace: shop}
                  children:
                    web: {hosts: {"10.0.1.[1:2]": , "10.0.1.9": {bulkhead_services: {http: tcp/80}}}}
                    db:
                      hosts:
                        db-a:
                          bulkhead_addresses: [10.0.2.1, "fd00::1"]
                          bulkhead_labels: {app: db, prio: 1}
                          bulkhead_service_account: db
                empty:
            ungrouped: {hosts: 10.0.9.9}
            """, "i.yml")
        #expect(
            workloads.map(\.name.description).sorted() == [
                "10.0.9.9", "bastion", "shop/10.0.1.1", "shop/10.0.1.2", "shop/10.0.1.9", "shop/db-a",
            ])
        let byName = Dictionary(uniqueKeysWithValues: workloads.map { ($0.name.name, $0) })
        #expect(byName["bastion"]?.labels == ["rack": "12", "is_old": "true"])
        #expect(byName["10.0.1.9"]?.services == ["http": ServiceRange(.tcp, ports: 80...80)])
        #expect(byName["db-a"]?.addresses.map(\.description) == ["10.0.2.1/32", "fd00::1/128"])
        #expect(byName["db-a"]?.labels == ["group.db": "true", "group.shop": "true", "app": "db", "prio": "1"])
        #expect(byName["db-a"]?.serviceAccount == "db")
        #expect(workloads.allSatisfy { $0.zones == ["lan"] })
    }

    @Test func `the nearest group's variable wins, then the priority, then the name; the host's own wins over all`() throws {
        let text = """
            10.0.0.1
            10.0.0.2 env=host
            [zeta]
            10.0.0.1
            10.0.0.2
            [alpha]
            10.0.0.1
            [top:children]
            zeta
            alpha
            [all:vars]
            bulkhead_label_vars=env
            env=all
            [top:vars]
            env=top
            [zeta:vars]
            env=zeta
            [alpha:vars]
            env=alpha
            """
        func env(_ text: String) throws -> [String?] { try workloads(text).map { $0.labels["env"] } }
        #expect(try env(text) == ["zeta", "host"])
        #expect(try env(text + "\nansible_group_priority=10") == ["alpha", "host"])
    }

    @Test(arguments: [
        ("web[1:3]", ["web1", "web2", "web3"]), ("web[08:10]", ["web08", "web09", "web10"]), ("w[0:4:2]", ["w0", "w2", "w4"]),
        ("db-[a:c]", ["db-a", "db-b", "db-c"]), ("r[1:2]-[a:b].x", ["r1-a.x", "r1-b.x", "r2-a.x", "r2-b.x"]),
        ("w[:1]", ["w0", "w1"]), ("w1:2222", ["w1"]), ("w[1:2]:22", ["w1", "w2"]),
    ]) func `ranges in a host's name stand for many hosts`(pattern: String, names: [String]) throws {
        let reading = try inventory("\(pattern) ansible_host=none.example", "hosts", isLossy: true)
        #expect(reading.documents.map(\.name.name) == names)
    }

    @Test(arguments: refused) func `what is wrong is refused at its place`(file: String, text: String, message: String) throws {
        let error = #expect(throws: PolicyError.self) { try inventory(text, file) }
        #expect(error?.description.hasPrefix("\(file):\(message)") ?? false, "\(error?.description ?? "")")
    }

    @Test func `what says nothing to policy is told`() throws {
        let reading = try inventory("here ansible_connection=local\n10.0.0.1 ansible_user=x ansible_port=22", "hosts")
        #expect(
            reading.ignored.map(\.description) == [
                "hosts:1:1: the host here is the machine that Ansible runs on",
                "hosts:2:38: the variable ansible_port says nothing to policy",
                "hosts:2:23: the variable ansible_user says nothing to policy",
            ])
    }

    @Test func `a lossy import keeps a host without an address, which claims none, and says so`() throws {
        let reading = try inventory("db.example", "hosts", isLossy: true)
        #expect(reading.documents.count == 1 && reading.losses.map(\.place.line) == [1])
    }

    @Test func `groups may nest in so many levels, and no more`() throws {
        func chain(_ levels: Int) -> String {
            (1..<levels).map { "[g\($0):children]\ng\($0 + 1)\n" }.joined() + "[g\(levels)]\n10.0.0.1\n"
        }
        #expect(try workloads(chain(64)).first?.labels.count == 64)
        let error = #expect(throws: PolicyError.self) { try workloads(chain(65)) }
        #expect(error?.message == "groups are nested in more than 64 levels")
    }
}

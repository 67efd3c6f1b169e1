// SPDX-License-Identifier: Apache-2.0
import Dialects
import Net
import Policy
import PolicyText
import Testing

private func inventory(_ text: String, isLossy: Bool = false) throws(PolicyError) -> ForeignReading {
    try Dialect.csv.reader(isLossy: isLossy).read(text, file: "w.csv")
}

private func workloads(_ text: String) throws -> [Workload] {
    try inventory(text).documents.compactMap { document in
        if case .workload(let workload) = document { workload } else { nil }
    }
}

private let refused: [(String, String)] = [
    ("", "1:1: the file is empty; begin with a line that names the columns: name, addresses, …"),
    ("addresses\n10.0.0.1", "1:1: the header names no column \"name\""),
    ("name,name\na,b", "1:6: the column \"name\" is there twice"),
    ("name,adresses\na,", "1:6: there is no column \"adresses\"; did you mean \"addresses\"? Or leave it out with --lossy"),
    ("name,label.\na,b", "1:6: there is no column \"label.\"; did you mean \"labels\"?"),
    ("name,addresses\na", "2:1: the line has 1 fields, and the header names 2; put a field with a comma in it in quotes"),
    ("name,addresses\na,10.0.0.1,10.0.0.2", "2:1: the line has 3 fields, and the header names 2"),
    ("name\na\"b", "2:2: a quote stands in a field without quotes; put the whole field in quotes"),
    ("name\na\u{0}", "2:2: there is a character that cannot be seen, U+0; remove it"),
    ("name,labels\n\"a\nb\",x=\u{feff}", "3:6: there is a character that cannot be seen, U+FEFF; remove it"),
    ("name\n\"a\"b", "2:4: there is text behind the closing quote; write two quotes for one in the text"),
    ("name,labels\na,\"x=1\n\n", "2:3: the quote is not closed"),
    ("name\n\"\"", "2:2: metadata needs the key \"name\""),
    ("name,addresses\na,10.0.0.1; 10.0.0.256", "2:13: \"10.0.0.256\" is no address and no CIDR block"),
    ("name,addresses\r\na,\"10.0.0.1;x\"", "2:13: \"x\" is no address and no CIDR block"),
    ("name,labels\na,x=1;y", "2:7: \"y\" is no key with a value; write key=value;key=value"),
    ("name,labels\na,=1", "2:3: \"=1\" is no key with a value"),
    ("name,labels,label.x\na,x=1,2", "2:7: the label \"x\" is there twice; remove one of them"),
    ("name,services\na,web=tcp/80;web=tcp/81", "2:14: the service \"web\" is there twice"),
    ("name,services\na,web=80", "2:7: the service \"web\" is a number without a protocol; write tcp/80"),
    ("name,services\na,web=", "2:7: \"\" is no service; write tcp/5432"),
    ("name,mac\na,xx", "2:3: \"xx\" is no hardware address; write it as 02:00:00:00:00:01"),
    ("name\n-a", "2:1: metadata.name \"-a\" is no name"),
]

@Suite struct CSVInventories {
    @Test func `a line is a workload, and every column says what the field of a document says`() throws {
        let text = """
            name,namespace,labels,addresses,zones,serviceAccount,services,label.env
            web-1,shop,app=web;tier=front,10.9.0.11;fd00::11,lan; dmz,web,http=tcp/80;dns=udp/53,prod
            db-1,,,10.9.0.0/28,,,,
            """
        let workloads = try workloads(text)
        #expect(workloads.map(\.name.description) == ["shop/web-1", "db-1"])
        #expect(workloads[0].labels == ["app": "web", "tier": "front", "env": "prod"])
        #expect(workloads[0].addresses.map(\.description) == ["10.9.0.11/32", "fd00::11/128"])
        #expect(workloads[0].zones == ["lan", "dmz"] && workloads[0].serviceAccount == "web")
        #expect(workloads[0].services == ["http": ServiceRange(.tcp, ports: 80...80), "dns": ServiceRange(.udp, ports: 53...53)])
        #expect(workloads[1].labels.isEmpty && workloads[1].addresses.map(\.description) == ["10.9.0.0/28"])
        #expect(workloads.map(\.place.line) == [2, 3] && workloads.allSatisfy { !$0.isImported })
    }

    @Test func `fields are quoted as RFC 4180 has it`() throws {
        let text = "\u{feff}\"name\",label.note\r\n\"a\",\"one, \"\"two\"\"\r\nthree\"\r\n\r\nb,\"\"\r\nc,plain text"
        #expect(try workloads(text).map { $0.labels["note"] } == ["one, \"two\"\r\nthree", nil, "plain text"])
    }

    @Test func `an empty value of a label is a value, an empty cell is none`() throws {
        #expect(try workloads("name,labels,label.y\na,x=,").map(\.labels) == [["x": ""]])
    }

    @Test(arguments: refused) func `what is wrong is refused at its line and column`(text: String, message: String) throws {
        let error = #expect(throws: PolicyError.self) { try inventory(text) }
        #expect(error?.description.hasPrefix("w.csv:\(message)") ?? false, "\(error?.description ?? "")")
    }

    @Test func `a lossy import leaves unknown columns out, and says which`() throws {
        let reading = try inventory("rack,name\n12,a", isLossy: true)
        #expect(reading.documents.map(\.name.description) == ["a"])
        #expect(reading.losses.map(\.description) == ["w.csv:1:1: there is no column \"rack\""])
    }

    @Test func `an inventory has no say in what a namespace allows by default`() throws {
        let machines = try inventory("name,namespace,addresses\na,n,10.0.0.1").documents
        func setting(_ others: String...) throws -> Setting {
            let others = try decode(others.joined(separator: "\n---\n"), file: "k.yaml", dialects: Dialect.readers())
            return try PolicySet(machines + others).defaultSetting(of: "n", .ingress)
        }
        let native = "{apiVersion: bulkhead/v1, kind: Policy, metadata: {name: q, namespace: n}}"
        #expect(try setting() == .deny)
        #expect(try setting(policy("")) == .allow)
        #expect(try setting(native) == .deny)
        #expect(try setting(policy(""), native) == .deny)
    }
}

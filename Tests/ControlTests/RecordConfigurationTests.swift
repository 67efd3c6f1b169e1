// SPDX-License-Identifier: Apache-2.0
import Control
import Net
import Policy
import Testing

/// `records`.
@Suite struct RecordConfigurations {
    private func read(_ text: String) throws -> Configuration {
        try Configuration.read("pairs: [{name: edge, ports: [left, right]}]\n" + text, file: "/etc/bulkhead/b.yaml")
    }

    @Test func `what the file does not say has its default`() throws {
        for text in ["", "records: {}\n", "records: {store: {}}\n"] {
            let configuration = try read(text)
            #expect(configuration.records == Configuration.Records())
            #expect(configuration.flows.recordSeconds == 60)
        }
    }

    @Test func `what the file says is taken`() throws {
        let configuration = try read(
            "records: {interval: 5s, store: {events: 10, age: 2h}, file: {path: flows.jsonl, megabytes: 3, keep: 0}, syslog: true}"
        )
        let records = configuration.records
        #expect(records.interval == 5 && configuration.flows.recordSeconds == 5)
        #expect(records.isStored && records.events == 10 && records.age == 7200)
        #expect(records.file == "/etc/bulkhead/flows.jsonl" && records.fileBytes == 3 << 20 && records.filesKept == 0)
        #expect(records.toSystemLog)
    }

    @Test func `no events mean no store, and never means no intervals`() throws {
        #expect(try !read("records: {store: {events: 0}}").records.isStored)
        #expect(try read("records: {interval: never}").flows.recordSeconds == 0)
    }
}

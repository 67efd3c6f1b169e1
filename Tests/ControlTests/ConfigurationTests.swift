// SPDX-License-Identifier: Apache-2.0
import Control
import Net
import Policy
import Testing

@Suite struct Configurations {
    private static let pair = "pairs: [{name: edge, ports: [left, right]}]\n"

    private func read(_ text: String, file: String = "/etc/bulkhead/b.yaml") throws -> Configuration {
        try Configuration.read(text, file: file)
    }

    @Test func `all but pairs have defaults`() throws {
        let configuration = try read(Self.pair)
        #expect(configuration.pairs == [.init(name: "edge", ports: ["left", "right"])])
        let pair = configuration.pairs[0]
        #expect(pair.fail == .closed && pair.onStop == .detach && pair.attachment == .native)
        #expect(pair.copy == .auto && pair.poll == .wait)
        #expect(configuration.zones.isEmpty && configuration.policies.isEmpty && configuration.workloads.isEmpty)
        #expect(configuration.socket == "/run/bulkhead/bulkhead.sock" && configuration.socket == Configuration.defaultSocket)
        #expect(configuration.run == "/run/bulkhead" && configuration.state == "/var/lib/bulkhead")
        #expect(configuration.flowCapacity == 262_144)
    }

    @Test func `every key is read`() throws {
        let configuration = try read(
            """
            pairs:
              - {name: edge, ports: [left, right], fail: open, on-stop: keep, xdp: generic, copy: zero-copy, poll: busy}
              - {name: "2nd", ports: [eth3, eth4.100], copy: copy, poll: spin}
            zones:
              lan: {port: left}
              dmz: {port: right, vlans: [untagged, 7, "100.20"]}
              overlay: {tunnel: 4096}
            policies: [/, ../tmp]
            workloads: [.]
            socket: api.sock
            state: state/
            run: ./run
            flows: {capacity: 4096}
            """, file: "/tmp/b.yaml")
        let (first, second) = (configuration.pairs[0], configuration.pairs[1])
        #expect(first.fail == .open && first.onStop == .keep && first.attachment == .generic)
        #expect(first.copy == .zeroCopy && first.poll == .busy && second.copy == .copy && second.poll == .spin)
        #expect(configuration.ports == [["left", "right"], ["eth3", "eth4.100"]])
        #expect(configuration.zones.map(\.zone) == ["lan", "dmz", "overlay"])
        #expect(configuration.zones.map(\.port) == ["left", "right", nil])
        #expect(configuration.zones[1].vlans == [VLANTags(), VLANTags(7), VLANTags(100, 20)])
        #expect(configuration.zones.map(\.tunnel) == [nil, nil, 4096])
        #expect(configuration.policies == ["/", "/tmp/../tmp"] && configuration.workloads == ["/tmp/."])
        #expect(
            configuration.socket == "/tmp/api.sock" && configuration.state == "/tmp/state" && configuration.run == "/tmp/./run")
        #expect(configuration.flowCapacity == 4096)
    }

    @Test func `the socket lies in the run folder unless the file says otherwise`() throws {
        #expect(try read(Self.pair + "run: /run/other\n").socket == "/run/other/bulkhead.sock")
    }

    @Test(arguments: [
        ("", 1, 1, "the file is empty"),
        ("zones: {}\n", 1, 1, "needs the key \"pairs\""),
        ("pair: []\n", 1, 1, "did you mean \"pairs\"?"),
        ("pairs: []\n", 1, 8, "pairs is empty"),
        ("pairs: edge\n", 1, 8, "pairs must be a list"),
        ("pairs: [{ports: [a, b]}]\n", 1, 9, "needs the key \"name\""),
        ("pairs: [{name: edge}]\n", 1, 9, "needs the key \"ports\""),
        ("pairs: [{name: edge, ports: [a]}]\n", 1, 29, "two ports, not 1"),
        ("pairs: [{name: edge, ports: [a, a]}]\n", 1, 33, "port \"a\" is named twice"),
        ("pairs:\n- {name: x, ports: [a, b]}\n- {name: y, ports: [c, a]}\n", 3, 24, "port \"a\" is named twice"),
        ("pairs:\n- {name: x, ports: [a, b]}\n- {name: x, ports: [c, d]}\n", 3, 10, "pair \"x\" is there twice"),
        ("pairs: [{name: edge, ports: [a, 7]}]\n", 1, 33, "write \"7\" in quotes"),
        ("pairs: [{name: edge, ports: [a, longer-than-fifteen]}]\n", 1, 33, "is no name"),
        ("pairs: [{name: a/b, ports: [a, b]}]\n", 1, 16, "is no name"),
        ("pairs: [{name: .a, ports: [a, b]}]\n", 1, 16, "is no name"),
        ("pairs: [{name: e, ports: [a, b], fail: close}]\n", 1, 40, "did you mean \"closed\"?"),
        ("pairs: [{name: e, ports: [a, b], on-stop: stay}]\n", 1, 43, "detach, keep"),
        ("pairs: [{name: e, ports: [a, b], xdp: driver}]\n", 1, 39, "native, generic"),
        ("pairs: [{name: e, ports: [a, b], copy: zero}]\n", 1, 40, "auto, zero-copy, copy"),
        ("pairs: [{name: e, ports: [a, b], poll: sleep}]\n", 1, 40, "wait, spin, busy"),
        ("pairs: [{name: e, ports: [a, b], queue: 1}]\n", 1, 34, "a pair has no key \"queue\""),
        (pair + "zones: {lan: {}}\n", 2, 9, "zone \"lan\" says nothing"),
        (pair + "zones: {lan: {port: rigth}}\n", 2, 21, "did you mean \"right\"?"),
        (pair + "zones: {lan: {vlans: [4095]}}\n", 2, 23, "\"4095\" is no VLAN"),
        (pair + "zones: {lan: {vlans: [\"1.2.3\"]}}\n", 2, 23, "is no VLAN"),
        (pair + "zones: {lan: {vlans: [7, 7]}}\n", 2, 26, "VLAN 7 is there twice"),
        (pair + "zones: {lan: {vlans: []}}\n", 2, 22, "vlans is empty"),
        (pair + "zones: {lan: {tunnel: -1}}\n", 2, 23, "tunnel must be a whole number from 0 to 4294967294"),
        (pair + "zones: {lan: {port: left}, wan: {port: left}}\n", 2, 28, "zone \"wan\" lies where \"lan\" does"),
        (pair + "policies: set.yaml\n", 2, 11, "policies must be a list"),
        (pair + "policies: [nowhere.yaml]\n", 2, 12, "there is no file or folder at /etc/bulkhead/nowhere.yaml"),
        (pair + "workloads: [nowhere]\n", 2, 13, "there is no file or folder at /etc/bulkhead/nowhere"),
        (pair + "socket: \"\"\n", 2, 9, "socket is no path"),
        (pair + "run: 7\n", 2, 6, "run must be a text"),
        (pair + "flows: {capacity: 1023}\n", 2, 19, "flows.capacity must be a whole number from 1024 to 268435456"),
        (pair + "flows: {size: 1024}\n", 2, 9, "flows has no key \"size\""),
        (pair + "state: /a\nstate: /b\n", 3, 1, "the key \"state\" is there twice"),
        (pair + "---\n" + pair, 3, 1, "a configuration is one document"),
    ])
    func `what is not understood is refused in its place`(text: String, line: Int, column: Int, message: String) throws {
        let error = #expect(throws: PolicyError.self) { try read(text) }
        #expect(error?.place == Place(file: "/etc/bulkhead/b.yaml", line: line, column: column), "\(error?.description ?? "")")
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `a path that no socket can have is refused`() throws {
        let long = String(repeating: "x", count: 100)
        let socket = #expect(throws: PolicyError.self) { try read(Self.pair + "socket: /\(long)\n") }
        #expect(socket?.place.line == 2 && socket?.message.contains("101 bytes") == true)
        let run = #expect(throws: PolicyError.self) { try read(Self.pair + "run: /\(long)\n") }
        #expect(run?.place.line == 2 && run?.place.column == 6)
    }

    @Test func `a ninth pair is one too many`() {
        let pairs = (1...9).map { "- {name: p\($0), ports: [a\($0), b\($0)]}" }.joined(separator: "\n")
        let error = #expect(throws: PolicyError.self) { try read("pairs:\n" + pairs) }
        #expect(error?.place.line == 10 && error?.message == "there are 9 pairs, 8 can be")
    }

    @Test func `a file that is not there is said to be missing`() {
        let error = #expect(throws: PolicyError.self) { try Configuration.load("/nowhere/b.yaml") }
        #expect(error?.place == Place(file: "/nowhere/b.yaml", line: 1, column: 1))
    }
}

// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing

@Suite struct Addresses {
    @Test(arguments: ["0.0.0.0", "10.0.0.1", "127.0.0.1", "192.168.255.1", "255.255.255.255"])
    func `dotted decimal comes back as it was`(text: String) throws {
        let address = try #require(Address(text))
        #expect(address.isIPv4)
        #expect(address.description == text)
    }

    @Test(arguments: [
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"), ("2001:db8::0:1", "2001:db8::1"),
        ("2001:DB8::AbCd", "2001:db8::abcd"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::", "::"), ("0::1", "::1"),
        ("1:0:0:0:0:0:0:0", "1::"), ("fe80::1", "fe80::1"),
    ])
    func `IPv6 is written as RFC 5952 says`(text: String, canonical: String) throws {
        let address = try #require(Address(text))
        #expect(!address.isIPv4)
        #expect(address.description == canonical)
        #expect(Address(canonical) == address)
    }

    @Test func `a mapped address is the IPv4 address`() {
        let mapped: Address = "::ffff:10.0.0.1"
        #expect(mapped == Address(v4: 0x0a00_0001))
        #expect(mapped.description == "10.0.0.1")
        #expect(mapped.v4 == 0x0a00_0001)
    }

    @Test(arguments: [
        "", " ", "10", "10.0", "10.0.0", "10.0.0.256", "10.0.0.1.", "10.0.0.1/32", " 10.0.0.1", "10.0.0.1 ", "010.0.0.1",
        "0x0a.0.0.1", "localhost", "fe80::1%eth0", "1::2::3", ":::", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "[::1]", "::ffff:10.0.0.256",
    ])
    func `what is no address is refused`(text: String) { #expect(Address(text) == nil) }

    @Test func `groups and broadcast are told apart`() {
        for text in ["224.0.0.0", "239.255.255.255", "ff00::", "ff02::1"] as [Address] { #expect(text.isMulticast, "\(text)") }
        for text in ["223.255.255.255", "240.0.0.0", "255.255.255.255", "feff::1"] as [Address] {
            #expect(!text.isMulticast, "\(text)")
        }
        #expect(("255.255.255.255" as Address).isBroadcast)
        #expect(!("10.0.0.255" as Address).isBroadcast)
    }

    @Test func `order is numeric, IPv4 in its mapped place`() {
        let ordered: [Address] = ["::", "::1", "0.0.0.0", "9.255.255.255", "10.0.0.0", "::1:0:0:0", "2001:db8::", "ffff::"]
        for (low, high) in zip(ordered, ordered.dropFirst()) {
            #expect(low < high, "\(low) \(high)")
            #expect(!(high < low), "\(low) \(high)")
        }
    }

    @Test func `random addresses come back as they were`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = PacketRandom(seed: seed)
        for _ in 0..<2000 {
            // Groups of zeros make the abbreviations that matter.
            func half() -> UInt64 { random.next() & [0xffff_0000_ffff_0000, 0xffff, .max, 0].randomElement(using: &random)! }
            let address = Address(high: half(), low: half())
            #expect(Address(address.description) == address, "seed \(seed): \(address)")
        }
    }
}

@Suite struct Prefixes {
    @Test(arguments: ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "128.0.0.0/1", "::/0", "fd00::/8", "2001:db8::/33", "::1/128"])
    func `CIDR notation comes back as it was`(text: String) {
        #expect(Prefix(text)?.description == text)
    }

    @Test func `a bare address is the block of itself`() {
        #expect(Prefix("10.0.0.1")?.description == "10.0.0.1/32")
        #expect(Prefix("fd00::1")?.description == "fd00::1/128")
        #expect(Prefix("10.0.0.1")?.isHost == true)
        #expect(Prefix("10.0.0.0/31")?.isHost == false)
    }

    @Test(arguments: [
        "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/ 8", "10.0.0.0/1234",
        "10.0.0.1/8", "10.0.0.1/31", "10.0.0.0/255.0.0.0", "fd00::/129", "fd00::1/64", "web/8", "::ffff:10.0.0.0/104",
    ])
    func `what is no block, or has host bits, is refused`(text: String) { #expect(Prefix(text) == nil) }

    @Test func `a block contains its addresses and no others`() throws {
        let block = try #require(Prefix("10.16.0.0/12"))
        for inside in ["10.16.0.0", "10.31.255.255"] as [Address] { #expect(block.contains(inside)) }
        for outside in ["10.15.255.255", "10.32.0.0", "::", "fd00::1"] as [Address] { #expect(!block.contains(outside)) }
        let six = try #require(Prefix("2001:db8:8000::/33"))
        #expect(six.contains("2001:db8:8000::1" as Address))
        #expect(!six.contains("2001:db8:7fff::1" as Address))
    }

    @Test func `the whole of one family holds nothing of the other`() throws {
        let four = try #require(Prefix("0.0.0.0/0"))
        let six = try #require(Prefix("::/0"))
        #expect(four.contains("1.2.3.4" as Address) && !four.contains("fd00::1" as Address))
        #expect(six.contains("fd00::1" as Address) && !six.contains("1.2.3.4" as Address))
        #expect(!six.contains(four))
    }

    @Test func `a block contains the smaller ones in it`() throws {
        let outer = try #require(Prefix("10.0.0.0/8"))
        let inner = try #require(Prefix("10.9.0.0/16"))
        #expect(outer.contains(inner) && outer.contains(outer))
        #expect(!inner.contains(outer))
        #expect(inner.mappedLength == 112)
    }
}

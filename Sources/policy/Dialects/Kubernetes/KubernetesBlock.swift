// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy
internal import PolicyText

/// Reads an `ipBlock`: a CIDR block, and blocks inside it that this peer leaves out.
enum KubernetesBlock {
    static func read(_ value: YAMLValue) throws(PolicyError) -> (cidrs: [Prefix], except: [Prefix]?) {
        let fields = try value.mapping("an ipBlock", keys: NetworkPolicyFields.block.names)
        let block = try prefix(try fields.required("cidr"), "cidr")
        var except: [Prefix] = []
        for item in try fields.given("except")?.list("except") ?? [] {
            let part = try prefix(item, "an item of except")
            guard block.contains(part), part != block else {
                throw item.error(
                    "\(part) does not lie inside \(block)", remedy: "leave out what is smaller than the cidr and in it")
            }
            except.append(part)
        }
        return ([block], except.isEmpty ? nil : except)
    }

    /// A block in CIDR notation. Bits behind the length are cut off, as every implementation does.
    private static func prefix(_ value: YAMLValue, _ what: String) throws(PolicyError) -> Prefix {
        let text = try value.text(what)
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2, let address = Address(String(parts[0])), let length = Int(parts[1]), "\(length)" == parts[1],
            address.isIPv4 != parts[0].utf8.contains(UInt8(ascii: ":")), let prefix = Prefix(covering: address, length: length)
        {
            return prefix
        }
        throw value.error("\(what) \"\(text)\" is no CIDR block", remedy: "write 10.9.8.0/24 or fd00::/64")
    }
}

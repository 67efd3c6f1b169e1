// SPDX-License-Identifier: Apache-2.0
public import Policy

extension YAMLValue {
    /// A list of services by protocol and numbers, as rules write them, for what is no policy: nobody's own names, and tunnels only where
    /// they are named. As the runs of service keys that they make up.
    public func serviceRanges(_ what: String) throws(PolicyError) -> [ServiceRange] {
        let ranges = try items(what) { (item) throws(PolicyError) in
            guard case .range(let range) = try ServiceDecoder.destination(item) else {
                throw item.error(
                    "\(what) must be services by protocol and numbers, not \"\(item.written)\"",
                    remedy: "write tcp/22, icmp/8 or tcp")
            }
            return range.runs
        }.flatMap { $0 }
        guard !ranges.isEmpty else { throw error("\(what) is empty", remedy: "name a service, as tcp/22") }
        return ranges
    }
}

extension ServiceRange {
    /// The runs of keys of which a rule that allows the range speaks: all but tunnels that it does not name.
    fileprivate var runs: [ServiceRange] {
        guard !namesTunnels else { return [self] }
        let cuts = [first] + Tunnels.edges.filter { first < $0 && $0 < end } + [end]
        return zip(cuts, cuts.dropFirst()).map { ServiceRange(first: $0, end: $1) }.filter { run in
            !Tunnels.all.contains { $0.range.first <= run.first && run.first < $0.range.end }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Net

/// `bulkhead doctor --self-test`: what this kernel really does with AF_XDP between two veth ports, found out with real UDP and TCP.
///
///     source ── in ▓ redirect program ▓ AF_XDP ▓ a forwarder of its own ▓ AF_XDP ▓ redirect program ▓ out ── sink
///
/// Three network namespaces without a name hold it. They, the ports in them and the programs on those end with this process, however it
/// ends; no port of the machine is touched, and nothing is pinned.
public struct SelfTest: Sendable {
    /// One thing that was tried.
    public struct Step: Sendable, Equatable {
        /// Its name.
        public let name: String
        /// Whether it is as Bulkhead needs it; nil where it was only observed.
        public let isGood: Bool?
        /// What was seen.
        public let seen: String

        /// A step by its parts.
        public init(_ name: String, _ isGood: Bool?, _ seen: String) {
            (self.name, self.isGood, self.seen) = (name, isGood, seen)
        }
    }

    /// What was tried, in order.
    public private(set) var steps: [Step] = []
    /// What that means, for those that failed.
    public private(set) var findings: [Finding] = []

    /// Runs everything: about two seconds.
    public static func run() -> SelfTest {
        var test = SelfTest()
        do {
            try test.runAll()
        } catch {
            test.findings.append(
                Finding(
                    .selfTestUnable, .error, what: "the self-test could not go on (\(error))",
                    why: "nobody has seen a frame pass on this kernel", remedy: .command("sudo bulkhead doctor --self-test")))
        }
        for step in test.steps where step.isGood == false {
            test.findings.append(
                Finding(
                    .selfTestFailed, .error, what: "the self-test `\(step.name)` failed: \(step.seen)",
                    why: "what fails between veth ports will not work between others",
                    remedy: .advice("look for a newer kernel, and report this one")))
        }
        return test
    }

    private mutating func runAll() throws {
        let bench = try TestBench()
        steps.append(Step("nativeXDP", true, "native XDP on both ports, frames \(bench.isZeroCopy ? "not copied" : "copied")"))
        try bench.setChecksumOffload(false)
        bench.setMode(.closed)
        try datagrams(bench)
        try connection(bench)
        try tags(bench)
        try checksums(bench)
        try withoutSockets(bench)
        try block(bench)
    }

    /// Numbered datagrams of all sizes, whole and in order.
    private mutating func datagrams(_ bench: TestBench) throws {
        let arrived = try bench.sendDatagrams(30)
        let sums = bench.sums
        steps.append(
            Step(
                "datagrams", arrived == 30 && sums.halfMade == 0,
                "\(arrived) of 30 UDP datagrams arrive; \(sums.complete) complete checksums, \(sums.halfMade) half-made, "
                    + "with checksum offload off at their source"))
    }

    /// A TCP connection with content that is compared.
    private mutating func connection(_ bench: TestBench) throws {
        let bytes = 512 << 10
        let answered = try bench.echo(bytes, within: 3000)
        steps.append(
            Step(
                "connection", answered == bytes,
                "\(answered >> 10) of \(bytes >> 10) KiB come back unchanged by TCP, \(bench.frames) frames"))
    }

    /// Two VLAN tags, and the most bytes that pass beside them.
    private mutating func tags(_ bench: TestBench) throws {
        let isWhole = try bench.sendTagged()
        steps.append(
            Step(
                "tags", isWhole,
                isWhole
                    ? "a frame of 1518 bytes with two VLAN tags reaches AF_XDP byte for byte"
                    : "a frame with two VLAN tags does not reach AF_XDP as it was sent"))
    }

    /// What a source with checksum offload sends, and what becomes of it.
    private mutating func checksums(_ bench: TestBench) throws {
        try bench.setChecksumOffload(true)
        bench.forgetSums()
        let arrived = try bench.sendDatagrams(10)
        let sums = bench.sums
        try bench.setChecksumOffload(false)
        let advice = sums.halfMade > 0 ? ": workloads behind a veth need `ethtool -K <their end> tx off`" : ""
        steps.append(
            Step(
                "checksums", nil,
                "with checksum offload on at their source \(sums.halfMade) of \(sums.halfMade + sums.complete) frames have a half-made "
                    + "checksum, and \(arrived) of 10 datagrams arrive\(advice)"))
    }

    /// What the kernel does while no worker is there: as declared.
    private mutating func withoutSockets(_ bench: TestBench) throws {
        try bench.removeSockets()
        let closed = try bench.sendDatagrams(10, within: 100)
        steps.append(
            Step("closed", closed == 0, "without a worker, closed: \(closed) of 10 datagrams arrive"))
        bench.setMode(.open)
        try bench.setGRO(false)
        let without = try bench.sendDatagrams(10, within: 100)
        try bench.setGRO(true)
        let with = try bench.sendDatagrams(10)
        let advice = without == 0 ? ": workloads behind a veth need `ethtool -K <their end> gro on` for `fail: open`" : ""
        steps.append(
            Step(
                "open", with == 10,
                "without a worker, open: \(without) of 10 datagrams arrive with GRO off at the far end, \(with) with it on\(advice)"
            ))
        try bench.insertSockets()
    }

    /// The mode word acts on the next frame.
    private mutating func block(_ bench: TestBench) throws {
        bench.setMode(.block)
        let blocked = try bench.sendDatagrams(10, within: 100)
        bench.setMode(.closed)
        let after = try bench.sendDatagrams(10)
        steps.append(
            Step(
                "block", blocked == 0 && after == 10,
                "mode word: \(blocked) of 10 datagrams arrive while it says block, \(after) after it says closed again"))
    }
}

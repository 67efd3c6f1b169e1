// SPDX-License-Identifier: Apache-2.0
import Foundation

/// An appliance between two workloads, each in a network namespace of its own:
///
///     web (10.9.0.11, fd00::11) eth0 ── p0 [appliance] p1 ── eth0 (10.9.0.21, fd00::21) db
///
/// Policy allows web to db on port 5432 (TCP and UDP) and echo requests; everything else is denied at db's door. All names carry
/// a prefix of this process, and `remove()` takes away what they name.
final class Lab {
    /// How the pair is set up.
    struct Settings {
        /// `fail` of the pair.
        var fail = "closed"
        /// `on-stop` of the pair.
        var onStop = "detach"
        /// Receive and transmit queues of each veth.
        var queues = 1
        /// Whether neighbours are written down; else they must be found by ARP and neighbour discovery, through the appliance.
        var fixedNeighbours = true
        /// Whether workloads leave checksums to their interface, which is a veth and does nothing.
        var offloadsChecksums = false
        /// The MTU of every port.
        var mtu = 1500
        /// Flows that the tables hold.
        var flowCapacity = 65_536
        /// Further keys of `flows`, each behind a comma.
        var flows = ""
        /// Further lines of the configuration file.
        var configuration = ""
        /// The documents in place of the usual ones.
        var policy: String?
        /// What starts the daemon, as `taskset` or `unshare` with their options; nothing for the daemon itself.
        var launcher: [String] = []
    }

    /// An address family.
    enum Family: Sendable { case ipv4, ipv6 }

    /// An end of the wire.
    struct Workload {
        let namespace: Namespace
        let ipv4: String
        let ipv6: String
        /// Its address of a family.
        func address(_ family: Family) -> String { family == .ipv4 ? ipv4 : ipv6 }
        /// The interface towards the appliance.
        var interface: Interface { Interface(namespace: namespace, name: "eth0") }
    }

    /// The port that policy opens, and one that it does not.
    static let allowedPort = 5432
    static let deniedPort = 5433

    let web: Workload
    let db: Workload
    let appliance: Namespace
    let settings: Settings
    /// Configuration, policies, sockets, outputs.
    let folder: URL
    /// The runs of `bulkhead run` so far, the latest last.
    private(set) var runs: [Companion] = []

    private static let counter = Counter()

    /// Makes namespaces, wires and configuration; nothing runs yet.
    init(_ settings: Settings = Settings()) throws {
        let prefix = ProcessInfo.processInfo.environment["BULKHEAD_LAB_PREFIX"] ?? "bh\(getpid())-"
        let number = Lab.counter.next()
        self.settings = settings
        folder = URL(filePath: "/tmp/\(prefix)\(number)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        // The processes without privilege read policies here; mkdtemp's 0700 would keep them out.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        var made: [Namespace] = []
        do {
            for name in ["web", "db", "fw"] { made.append(try Namespace("\(prefix)\(number)\(name)")) }
        } catch {
            for namespace in made { namespace.remove() }
            throw error
        }
        web = Workload(namespace: made[0], ipv4: "10.9.0.11", ipv6: "fd00::11")
        db = Workload(namespace: made[1], ipv4: "10.9.0.21", ipv6: "fd00::21")
        appliance = made[2]
        do {
            try connect(web, to: "p0", hardwareAddress: "02:00:00:00:00:0b")
            try connect(db, to: "p1", hardwareAddress: "02:00:00:00:00:15")
            if settings.fixedNeighbours { try introduce() }
            if let policy = settings.policy { try write(policy) } else { try writePolicy(ports: [Lab.allowedPort]) }
            try configuration.write(to: configurationFile, atomically: true, encoding: .utf8)
        } catch {
            remove()
            throw error
        }
    }

    deinit { remove() }

    /// Ends everything and takes it away, by name. May be called twice.
    func remove() {
        for namespace in [appliance, web.namespace, db.namespace] where namespace.isThere { namespace.remove() }
        try? FileManager.default.removeItem(at: folder)
    }

    /// The appliance's ports.
    var ports: [Interface] { ["p0", "p1"].map { Interface(namespace: appliance, name: $0) } }

    /// Connects a workload to a port of the appliance, as at the start. Settings without which veth loses frames: one queue unless
    /// asked for more (the default is one a CPU), GRO at the workload's end (else what XDP redirects into the port is lost without
    /// a trace; switched on behind `up`, for the port notices no earlier), no segmentation offload there, and no checksum offload
    /// unless asked for (else half-made sums).
    func connect(_ workload: Workload, to port: String, hardwareAddress: String) throws {
        let (name, end) = (appliance.name, workload.namespace.name)
        let queues = ["numrxqueues", "\(settings.queues)", "numtxqueues", "\(settings.queues)"]
        try Command.run(
            ["ip", "-n", name, "link", "add", port] + queues + ["type", "veth", "peer", "name", "eth0", "netns", end] + queues)
        try appliance.shell("sysctl -q -w net.ipv6.conf.\(port).disable_ipv6=1")
        try Command.run("ip", "-n", name, "link", "set", port, "mtu", "\(settings.mtu)", "promisc", "on", "up")
        // Without addresses of their own making the ends are silent unless a test speaks; and a link that goes down keeps its
        // address.
        try workload.namespace.shell("sysctl -q -w net.ipv6.conf.eth0.keep_addr_on_down=1")
        try Command.run(
            "ip", "-n", end, "link", "set", "eth0", "mtu", "\(settings.mtu)", "address", hardwareAddress, "addrgenmode",
            "none", "up")
        let checksums = settings.offloadsChecksums ? "on" : "off"
        try workload.namespace.run("ethtool", "-K", "eth0", "gro", "on", "tx", checksums, "tso", "off")
        try Command.run("ip", "-n", end, "link", "set", "lo", "up")
        try Command.run("ip", "-n", end, "address", "add", workload.ipv4 + "/24", "dev", "eth0")
        try Command.run("ip", "-n", end, "address", "add", workload.ipv6 + "/64", "dev", "eth0", "nodad")
    }

    /// Lets both ends know each other, so that a test sees its own frames and no others.
    func introduce() throws {
        for (here, there, address) in [(web, db, "02:00:00:00:00:15"), (db, web, "02:00:00:00:00:0b")] {
            for target in [there.ipv4, there.ipv6] {
                try Command.run(
                    "ip", "-n", here.namespace.name, "neighbour", "replace", target, "lladdr", address, "dev", "eth0", "nud",
                    "permanent")
            }
        }
    }

    /// Remembers a run of the daemon.
    func remember(_ run: Companion) { runs.append(run) }
}

/// Numbers for names; tests are serialised, but the compiler cannot know.
private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0

    /// The next number, from 1.
    func next() -> Int {
        lock.withLock {
            value += 1
            return value
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
public import API
public import Classifier
public import Compiler
public import Layout
public import Net
public import Policy
public import Sandbox

/// The configuration file of the daemon, checked: every path absolute, every name of a shape that keeper accepts, every port named
/// once. How it is written is described in `docs/configuration.md`.
public struct Configuration: Sendable {
    /// What happens to the XDP program on an orderly stop.
    public enum OnStop: String, CaseIterable, Sendable {
        /// It is taken off.
        case detach
        /// It stays, and the fail mode goes on.
        case keep
    }
    /// How the program is attached.
    public enum Attachment: String, CaseIterable, Sendable {
        /// In the driver.
        case native
        /// In the kernel's generic path.
        case generic
    }
    /// How frames cross between kernel and UMEM.
    public enum Copy: String, CaseIterable, Sendable {
        /// Zero-copy where the driver can.
        case auto
        /// Zero-copy or not at all.
        case zeroCopy = "zero-copy"
        /// Always copied.
        case copy
    }
    /// What an idle worker does.
    public enum Poll: String, CaseIterable, Sendable {
        /// It sleeps after a bounded spin.
        case wait
        /// It spins.
        case spin
        /// It drives the interrupts itself.
        case busy
    }
    /// What happens to frames while no worker is bound.
    public enum Fail: String, CaseIterable, Sendable {
        /// They are dropped.
        case closed
        /// They pass unjudged.
        case open
    }

    /// Where everything runs that is no worker.
    public enum Processors: String, CaseIterable, Sendable {
        /// On processors without a worker, where there is one.
        case apart
        /// On all.
        case shared
    }

    /// Two ports between which Bulkhead sits.
    public struct Pair: Sendable, Equatable {
        /// The pair's name.
        public var name: String
        /// Interface names of its first and second port.
        public var ports: [String]
        /// What happens while no worker is bound.
        public var fail = Fail.closed
        /// What happens on an orderly stop.
        public var onStop = OnStop.detach
        /// How the program is attached.
        public var attachment = Attachment.native
        /// How frames cross.
        public var copy = Copy.auto
        /// What an idle worker does.
        public var poll = Poll.wait

        /// A pair with every choice left to its default.
        public init(name: String, ports: [String]) {
            self.name = name
            self.ports = ports
        }
    }

    /// Where a zone lies on this machine.
    public struct ZonePlace: Sendable {
        /// The zone's name, as `Zone` documents, workloads and policies use it.
        public var zone: String
        /// The port's interface name; any port where the file names none.
        public var port: String?
        /// The tags that its frames carry; any where empty. `VLANTags()` stands for untagged frames.
        public var vlans: [VLANTags] = []
        /// The tunnel that its frames come in; any where absent.
        public var tunnel: UInt32?
        /// Where it is written.
        public var place: Place

        /// Whether two zones lie at the same place.
        func coincides(with other: ZonePlace) -> Bool { port == other.port && vlans == other.vlans && tunnel == other.tunnel }
    }

    /// The file.
    public var file: String
    /// The port pairs.
    public var pairs: [Pair] = []
    /// Where zones lie.
    public var zones: [ZonePlace] = []
    /// Files and folders of policies.
    public var policies: [String] = []
    /// Files and folders of workloads.
    public var workloads: [String] = []
    /// The API's socket.
    public var socket = ""
    /// The folder of what must survive a restart.
    public var state = Configuration.defaultState
    /// The folder of sockets.
    public var run = Configuration.defaultRun
    /// The user that the data process runs as; where the file names none, keeper chooses.
    public var dataUser: UserName?
    /// The user that the control process runs as; where the file names none, keeper chooses.
    public var controlUser: UserName?
    /// How strictly processes are held to what they need.
    public var sandbox = SandboxMode.enforce
    /// Where keeper, control and data's main thread run.
    public var processors = Processors.apart
    /// Flows of all workers together.
    public var flowCapacity = Configuration.defaultFlows
    /// The table of layer 2, and the budget of group frames.
    public var links = LinkTable()
    /// How connections are kept and followed.
    public var flows = FlowSettings()
    /// What becomes of flow records.
    public var records = Records()
    /// Services that no policy can close.
    public var failsafe = Failsafe()
    /// How the API is served, and who may what.
    public var api = APISettings(socket: "")

    /// Flows where the file names no capacity.
    public static let defaultFlows = 262_144
    /// The run folder where the file names none.
    public static let defaultRun = "/run/bulkhead"
    /// The state folder where the file names none.
    public static let defaultState = "/var/lib/bulkhead"
    /// The API's socket where the file names none.
    public static let defaultSocket = defaultRun + "/bulkhead.sock"
}

extension Configuration {
    /// Names of all pairs' ports, as they are numbered.
    public var ports: [[String]] { pairs.map(\.ports) }

    /// What keeper is asked to set up.
    public var plan: Plan {
        var plan = Plan()
        plan.pairCount = UInt32(pairs.count)
        plan.flowCapacity = UInt64(flowCapacity)
        plan.runFolderPath = run
        for (number, pair) in pairs.enumerated() {
            var order = PairPlan()
            // The reader has checked that names fit.
            order.name = FixedName(pair.name) ?? FixedName()
            for port in 0..<2 { order.ports[port].name = FixedName(pair.ports[port]) ?? FixedName() }
            order.fail = (pair.fail == .open ? FailMode.open : .closed).rawValue
            order.onStop = (pair.onStop == .keep ? PairPlan.OnStop.keep : .detach).rawValue
            order.generic = pair.attachment == .generic ? 1 : 0
            order.copy = [.auto: PairPlan.Copy.auto, .zeroCopy: .zeroCopy, .copy: .copy][pair.copy, default: .auto].rawValue
            order.poll = [.wait: PairPlan.Poll.wait, .spin: .spin, .busy: .busy][pair.poll, default: .wait].rawValue
            plan.pairs[number] = order
        }
        return plan
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import Link
import Net
import TestSupport
import Testing

extension Kernel {
    /// What is known about a port.
    @Suite struct InterfaceTests {
        @Test func `a port is found by name and by number with all that matters`() throws {
            try inFreshNamespace {
                let options = "mtu 1400 address 02:00:00:00:00:0a numrxqueues 2 numtxqueues 2"
                try shell("ip link add bhk-a \(options) type veth peer name bhk-b")
                let port = try Interface(named: "bhk-a")
                #expect(port.mtu == 1400)
                #expect(port.address.description == "02:00:00:00:00:0a")
                #expect(port.driver == "veth" && port.kind == "veth")
                #expect(port.receiveQueues == 2 && port.transmitQueues == 2)
                #expect(port.numaNode == -1)
                #expect(!port.isUp && !port.isRunning && !port.isPromiscuous)
                #expect(port.xdp == nil && port.xdpProgram == 0)
                #expect(port.peer?.index == (try Interface(named: "bhk-b").index))
                #expect(port.peer?.namespace == nil)
                #expect(try Interface(index: port.index) == port)
            }
        }

        @Test(arguments: ["bhk-none", "", "a-name-longer-than-fifteen-bytes"])
        func `a name that no port has is refused by that name`(_ name: String) throws {
            try inFreshNamespace {
                #expect(throws: LinkError.noPort(name: name)) { try Interface(named: name) }
            }
        }

        @Test func `names are those of the thread's namespace`() throws {
            try inFreshNamespace {
                try makeWire("bhk-a", "bhk-b")
                try inFreshNamespace {
                    #expect(throws: LinkError.noPort(name: "bhk-a")) { try Interface(named: "bhk-a") }
                }
                #expect(try Interface(named: "bhk-a").isUp)
            }
        }

        @Test func `up, down and running follow the wire`() throws {
            try inFreshNamespace {
                try makeWire("bhk-a", "bhk-b")
                #expect(try eventually { try Interface(named: "bhk-a").isRunning })
                try Interface(named: "bhk-b").setUp(false)
                #expect(try eventually { try !Interface(named: "bhk-a").isRunning })
                #expect(try Interface(named: "bhk-a").isUp)
                try Interface(named: "bhk-a").setUp(false)
                #expect(try !Interface(named: "bhk-a").isUp)
            }
        }

        @Test func `promiscuous mode is taken back, unless it was there before`() throws {
            try inFreshNamespace {
                try makeWire("bhk-a", "bhk-b")
                let first = try Interface(named: "bhk-a").becomePromiscuous()
                #expect(try Interface(named: "bhk-a").isPromiscuous)
                let second = try Interface(named: "bhk-a").becomePromiscuous()
                #expect(!first.wasPromiscuous && second.wasPromiscuous)
                try second.restore()
                #expect(try Interface(named: "bhk-a").isPromiscuous)
                try first.restore()
                #expect(try !Interface(named: "bhk-a").isPromiscuous)
                try shell("ip link del bhk-a")
                try first.restore()
            }
        }

        @Test(arguments: [Offload.genericReceive, .transmitChecksum, .segmentation, .transmitVLAN])
        func `an offload is read as ethtool sets it`(_ offload: Offload) throws {
            try inFreshNamespace {
                try makeWire("bhk-a", "bhk-b")
                let port = try Interface(named: "bhk-a")
                for isOn in [true, false] {
                    try shell("ethtool -K bhk-a \(offload.ethtoolName) \(isOn ? "on" : "off")")
                    #expect(port.offload(offload) == isOn)
                }
            }
        }
    }

    /// What netlink tells about links.
    @Suite struct LinkMonitorTests {
        @Test func `appearing, going down, coming up and vanishing are heard in order`() throws {
            try inFreshNamespace {
                let monitor = try LinkMonitor()
                #expect(try monitor.events().isEmpty)
                try makeWire("bhk-a", "bhk-b")
                let index = try Interface(named: "bhk-a").index
                let up = try states(of: "bhk-a", from: monitor) { $0.isRunning }
                #expect(up.first?.isUp == false && up.first?.index == index && up.first?.mtu == 1500)
                #expect(up.last?.isUp == true)
                try shell("ip link set bhk-b down")
                #expect(try states(of: "bhk-a", from: monitor) { !$0.isRunning }.last?.isUp == true)
                try shell("ip link set bhk-a down")
                #expect(try states(of: "bhk-a", from: monitor) { !$0.isUp }.last?.isRunning == false)
                try shell("ip link del bhk-a")
                let last = try monitor.events().last { $0.state?.name == "bhk-a" }
                #expect(last == last?.state.map { .deleted($0) })
                #expect(last?.state?.index == index)
            }
        }

        @Test func `a storm of messages ends in a resync`() throws {
            try inFreshNamespace {
                let monitor = try LinkMonitor()
                var small: Int32 = 2048
                unsafe setsockopt(monitor.fileDescriptor, SOL_SOCKET, SO_RCVBUF, &small, 4)
                for number in 0..<20 { try shell("ip link add bhk-\(number) type veth peer name bhk-p\(number)") }
                #expect(try monitor.events().last == .resync)
                #expect(try monitor.events().isEmpty)
            }
        }

        /// The states of a link from now on, up to the first that is such: the kernel settles a carrier a while after the command that changed
        /// it.
        private func states(of name: String, from monitor: LinkMonitor, until isSuch: (LinkState) -> Bool) throws -> [LinkState] {
            var states: [LinkState] = []
            let hasCome = try eventually {
                states += try monitor.events().compactMap(\.state).filter { $0.name == name }
                return states.last.map(isSuch) ?? false
            }
            #expect(hasCome, "\(states)")
            return states
        }
    }
}

extension LinkEvent {
    var state: LinkState? {
        switch self {
        case .present(let state), .deleted(let state): state
        case .resync: nil
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import Layout
internal import Link
internal import Logging
internal import Synchronization

// A bump in the wire must not hide a broken wire: when one port loses its link, the other one is taken down too, so that the device
// behind it sees the loss; when the link is back, so is the other port. A port that keeper itself took down counts for nothing in
// this, else both would wait for each other for ever; and one that was just taken up again has time to find its link (a NIC
// negotiates for seconds), else the pair would flap.

/// A port of a pair.
struct Place: Hashable {
    let pair: Int
    let port: Int
}

extension KeeperLoop {
    /// How long a port that was taken up again may take to find its link.
    static let settleNanoseconds: UInt64 = 10_000_000_000

    func hearLinks() throws {
        guard let monitor else { return }
        // The events say that something changed; what is so now is asked anew, so that a lost one does no harm.
        _ = try monitor.events()
        lookAtLinks()
    }

    /// Looks at every port, tells the workers, and passes losses of link on to the other port.
    func lookAtLinks() {
        guard let board else { return }
        for machine in machines {
            let ports = (0..<2).map { try? Interface(named: machine.plan.ports[$0].name.description) }
            noteMissing(machine, ports)
            var words = board[pair: machine.number]
            for port in 0..<2 {
                let isRunning = ports[port].map { $0.isUp && $0.isRunning } ?? false
                if (words.linkUp[port] == 1) != isRunning {
                    log.notice("port \(machine.plan.ports[port].name) \(isRunning ? "has its link" : "has lost its link")")
                }
                words.linkUp[port] = isRunning ? 1 : 0
                if isRunning { settling[Place(pair: machine.number, port: port)] = nil }
            }
            board[pair: machine.number] = words
            for port in 0..<2 { follow(machine, port, ports) }
            tendPorts(machine, ports)
        }
    }

    /// Takes `port` down when the other one has lost its link by itself, and up again when that is over.
    private func follow(_ machine: PairMachine, _ port: Int, _ ports: [Interface?]) {
        guard let board, let interface = ports[port] else { return }
        var words = board[pair: machine.number]
        let other = 1 - port
        let isSettling = settling[Place(pair: machine.number, port: other)].map { now() < $0 } ?? false
        let otherLostIt = words.linkUp[other] == 0 && words.takenDown[other] == 0 && !isSettling
        if otherLostIt && interface.isUp && words.takenDown[port] == 0 {
            words.takenDown[port] = 1
            board[pair: machine.number] = words
            // Before it happens, so that it is known whenever it has.
            notePorts()
            change(interface, up: false)
        } else if !otherLostIt && words.takenDown[port] == 1 {
            words.takenDown[port] = 0
            board[pair: machine.number] = words
            settling[Place(pair: machine.number, port: port)] = now() &+ KeeperLoop.settleNanoseconds
            change(interface, up: true)
            notePorts()
        }
    }

    /// Writes down what was changed about the ports, for a keeper that finds neither this one nor data.
    func notePorts() {
        guard let board else { return }
        let notes = machines.flatMap { machine in
            let words = board[pair: machine.number]
            return (0..<2).map { port in
                let note = PortNote(isTakenDown: words.takenDown[port] == 1, wasPromiscuous: words.wasPromiscuous[port] == 1)
                return (machine.plan.ports[port], note)
            }
        }
        expectNoted(folder?.note(notes), "what was changed about the ports")
    }

    private func change(_ interface: Interface, up: Bool) {
        do {
            try interface.setUp(up)
            log.notice("port \(interface.name) is taken \(up ? "up" : "down") after the other port of its pair")
        } catch {
            log.error("port \(interface.name): \(error)")
        }
    }

    /// On an orderly stop: ports that were taken down come up again, and promiscuous mode ends where keeper began it.
    func restorePorts() {
        guard let board else { return }
        for machine in machines {
            let words = board[pair: machine.number]
            for port in 0..<2 {
                let name = machine.plan.ports[port].name.description
                try? PromiscuousPort(name: name, wasPromiscuous: words.wasPromiscuous[port] == 1).restore()
                if words.takenDown[port] == 1, let interface = try? Interface(named: name) { change(interface, up: true) }
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// A network namespace that this test made, and that it removes by its name.
struct Namespace {
    /// Its name below /run/netns.
    let name: String
    /// The number of its inode, by which Bulkhead names what it pins.
    let inode: UInt64

    /// Makes one.
    init(_ name: String) throws {
        try Command.run("ip", "netns", "add", name)
        self.name = name
        let attributes = try FileManager.default.attributesOfItem(atPath: "/run/netns/" + name)
        inode = (attributes[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0
    }

    /// Whether it has not been removed.
    var isThere: Bool { FileManager.default.fileExists(atPath: "/run/netns/" + name) }

    /// The command line that runs a command in it. Not `ip netns exec`, which hides the BPF file system behind a fresh /sys.
    func command(_ arguments: [String]) -> [String] { ["nsenter", "--net=/run/netns/" + name] + arguments }

    /// Runs a command in it to its end.
    @discardableResult
    func run(_ arguments: String...) throws -> String { try Command.run(command(arguments)) }

    /// Runs a shell line with this namespace's own /sys.
    @discardableResult
    func shell(_ line: String) throws -> String { try Command.run("ip", "netns", "exec", name, "sh", "-c", line) }

    /// The processes in it.
    var processes: [Int32] {
        let listed = (try? Command.attempt(["ip", "netns", "pids", name]))?.output ?? ""
        return listed.split(separator: "\n").compactMap { Int32($0) }.sorted()
    }

    /// What Bulkhead has pinned for this namespace's ports.
    var pins: [String] {
        let folder = "/sys/fs/bpf/bulkhead/\(inode)"
        return (FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []).sorted()
    }

    /// Ends every process in it, the oldest first (a keeper would start the others again), and removes it with what was pinned.
    func remove() {
        for _ in 0..<20 {
            let left = processes
            if left.isEmpty { break }
            for pid in left { kill(pid, SIGKILL) }
            pause(0.05)
        }
        _ = try? Command.attempt(["ip", "netns", "del", name])
        try? FileManager.default.removeItem(atPath: "/sys/fs/bpf/bulkhead/\(inode)")
    }
}

/// What an interface of a namespace says about itself.
struct Interface {
    /// Where it is.
    let namespace: Namespace
    /// Its name there.
    let name: String

    /// Frames and drops as `ip -s link` counts them.
    struct Counters: Equatable {
        var received: UInt64
        var sent: UInt64
        var receiveDropped: UInt64
        var sendDropped: UInt64

        static func - (a: Counters, b: Counters) -> Counters {
            Counters(
                received: a.received - b.received, sent: a.sent - b.sent, receiveDropped: a.receiveDropped - b.receiveDropped,
                sendDropped: a.sendDropped - b.sendDropped)
        }
    }

    private struct Shown: Decodable {
        struct Statistics: Decodable {
            struct Direction: Decodable {
                let packets: UInt64
                let dropped: UInt64
            }
            let rx: Direction
            let tx: Direction
        }
        struct Program: Decodable {
            struct Inner: Decodable { let id: UInt32 }
            let mode: Int?
            let prog: Inner?
        }
        let flags: [String]
        let stats64: Statistics
        let xdp: Program?
    }

    private func shown() throws -> Shown {
        let text = try Command.run("ip", "-n", namespace.name, "-s", "-d", "-j", "link", "show", "dev", name)
        guard let first = try JSONDecoder().decode([Shown].self, from: Data(text.utf8)).first else {
            throw Trouble("\(name) is not there")
        }
        return first
    }

    /// The kernel's counters.
    func counters() throws -> Counters {
        let statistics = try shown().stats64
        return Counters(
            received: statistics.rx.packets, sent: statistics.tx.packets, receiveDropped: statistics.rx.dropped,
            sendDropped: statistics.tx.dropped)
    }

    /// Whether it is up and the other end is, too.
    func hasLink() throws -> Bool { try shown().flags.contains("LOWER_UP") }

    /// Whether an XDP program is attached.
    func hasProgram() throws -> Bool { try shown().xdp != nil }

    /// Takes it up or down.
    func set(up: Bool) throws { try Command.run("ip", "-n", namespace.name, "link", "set", name, up ? "up" : "down") }

    /// Frames that the kernel handed to the program, by receive queue (veth's own statistics).
    func framesByQueue() throws -> [UInt64] {
        try namespace.run("ethtool", "-S", name).split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":").map { $0.trimmingCharacters(in: .whitespaces) }
            guard parts.count == 2, parts[0].hasPrefix("rx_queue_"), parts[0].hasSuffix("_xdp_packets") else { return nil }
            return UInt64(parts[1])
        }
    }
}

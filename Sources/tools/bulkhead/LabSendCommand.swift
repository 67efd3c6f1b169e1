// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `bulkhead lab send`.
struct LabSendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send test frames by a port, as fast as they go or at a rate.",
        discussion: """
            Each frame belongs to a random one of --flows flows, which differ in source address and port, and carries a number and the
            time; its checksums are right. With --new-share some flows end each second and others take their place.

            One CPU is busy all the while, at low rates as well. Pin it where it disturbs nobody:

              taskset -c 0 bulkhead lab send eth0 --to 02:00:00:00:00:02 --flows 10000 --new-share 0.05 --duration 3 --json

            frames counts what was handed to the port. What the port did not take is not known here: the sink tells.
            """)

    @OptionGroup var port: LabPortOptions
    @OptionGroup var traffic: LabTrafficOptions

    @Flag(name: .customLong("tcp-syn"), help: "TCP SYNs, without a number for the sink, instead of UDP datagrams.")
    var isSYN = false

    func run() throws {
        try LabCommand.tell {
            let interruption = Interruption()
            let interface = try port.interface()
            let sent = try Generator(traffic.order(by: interface, isSYN: isSYN), by: interface).run(until: interruption)
            if port.json { return say(try DaemonClient.encode(sent)) }
            say(
                "\(sent.frames) frames in \(LabReport.short(sent.seconds)) s: \(LabReport.rate(sent.rate)); \(sent.renewed) flows "
                    + "renewed, \(sent.missed) frames missed")
        }
    }
}

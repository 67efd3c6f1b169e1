// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `bulkhead lab rtt`.
struct LabRTTCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rtt", abstract: "Measure round trips to a reflector on the far side.",
        discussion: """
            Sends as `send` does, and looks at the age of each frame that comes back to the same port. A frame's time is taken where it is
            made and where it comes back, in the kernel, so that no scheduling of this process is in it.

              taskset -c 0 bulkhead lab rtt eth0 --to 02:00:00:00:00:02 --flows 100 --rate 50000 --duration 10 --json
            """)

    @OptionGroup var port: LabPortOptions
    @OptionGroup var traffic: LabTrafficOptions

    func run() throws {
        try LabCommand.tell {
            let interruption = Interruption()
            let interface = try port.interface()
            let meter = try Sink(on: interface, ages: true)
            let generator = try Generator(traffic.order(by: interface), by: interface)
            let sent = try generator.run(until: interruption)
            // What is under way may still come back.
            _ = interruption.wait(seconds: 0.2)
            let arrived = meter.arrived
            var report = LabReport(window: .init(seconds: sent.seconds, frames: arrived.frames, bytes: arrived.bytes))
            report.total(arrived, ages: meter.ages)
            report.sent = sent
            say(try report.text(json: port.json))
        }
    }
}

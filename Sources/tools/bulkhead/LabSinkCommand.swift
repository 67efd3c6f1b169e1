// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `bulkhead lab sink`.
struct LabSinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sink", abstract: "Count and drop what comes in by a port.",
        discussion: """
            Prints `listening` when it is ready. Follows the numbers of the first stream that comes: what was lost on the way, came twice, or
            came late. Over several receive queues `reordered` looks at each queue by itself.

            With --duration the rate is that of so many seconds, from --skip seconds after the first frame on; the counts are those of
            all frames until the end. Without it everything counts until Ctrl-C, SIGTERM, or --frames.

              bulkhead lab sink eth1 --skip 1 --duration 3 --json
              bulkhead lab sink eth1 --every 1

            --ages tells how long frames were on their way, when both ports are this machine's.
            """)

    @OptionGroup var port: LabPortOptions

    @Option(name: .long, help: .init("Seconds to measure.", valueName: "seconds"))
    var duration: Double?

    @Option(name: .long, help: .init("Seconds to leave out at the beginning.", valueName: "seconds"))
    var skip = 0.0

    @Option(name: .long, help: .init("End when so many frames have come and no more follow.", valueName: "number"))
    var frames: UInt64?

    @Option(name: .long, help: .init("Print a line every so many seconds.", valueName: "seconds"))
    var every: Double?

    @Flag(name: .long, help: "Tell how old frames were.")
    var ages = false

    func validate() throws {
        guard duration.map({ $0 > 0 }) ?? true else { throw ValidationError("--duration is more than 0") }
        guard skip >= 0 else { throw ValidationError("--skip is 0 or more") }
        guard every.map({ $0 >= 0.01 }) ?? true else { throw ValidationError("--every is 0.01 or more") }
    }

    func run() throws {
        try LabCommand.tell {
            let interruption = Interruption()
            let sink = try Sink(on: port.interface(), ages: ages)
            say(port.json ? #"{"state":"listening"}"# : "listening")
            let watch = Watch(sink, skip: skip, duration: duration, frames: frames, every: every)
            let window = try watch.run(until: interruption) { say(try LabReport(window: $0).text(json: port.json)) }
            var report = LabReport(window: window)
            report.total(sink.arrived, ages: ages ? sink.ages : nil)
            say(try report.text(json: port.json))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `bulkhead lab reflect`.
struct LabReflectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reflect", abstract: "Send frames of the lab back by the port that they come in by.",
        discussion: """
            Prints `listening` when it is ready, and ends after --duration seconds, with Ctrl-C or SIGTERM. Hardware addresses, IP addresses
            and ports change places; frames that are not the lab's are dropped.
            """)

    @OptionGroup var port: LabPortOptions

    @Option(name: .long, help: .init("Seconds to stay (until Ctrl-C).", valueName: "seconds"))
    var duration: Double?

    func validate() throws {
        guard duration.map({ $0 > 0 }) ?? true else { throw ValidationError("--duration is more than 0") }
    }

    func run() throws {
        try LabCommand.tell {
            let interruption = Interruption()
            let reflector = try Reflector(on: port.interface())
            say(port.json ? #"{"state":"listening"}"# : "listening")
            var left = duration ?? .infinity
            while left > 0, !interruption.wait(seconds: min(left, 1)) { left -= 1 }
            let arrived = reflector.arrived
            say(
                port.json
                    ? #"{"frames":\#(arrived.frames),"reflected":\#(arrived.numbered)}"#
                    : "\(arrived.frames) frames, \(arrived.numbered) of them sent back")
        }
    }
}

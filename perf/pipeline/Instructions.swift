// SPDX-License-Identifier: Apache-2.0
import Datapath
import Measure
import Net
import TestSupport

// Kinds of frames whose instructions `scripts/check-instructions` counts. It runs this under callgrind, which counts inside of a turn only, starts
// anew where `scenarioBegins` is called and writes down where `scenarioEnds` is.

/// One kind of frames: what comes before, then the frames that are counted. Each frame says by which port it comes in.
struct Scenario {
    typealias Arriving = (bytes: [UInt8], port: Int)

    let name: String
    var isIPv4 = true
    /// Whether the same frames pass the reference, too.
    var isInC = false
    /// Whether policy refuses them all, so that the reference does.
    var isRefused = false
    var before: (Int) -> [Arriving] = { _ in [] }
    let counted: (Int) -> [Arriving]

    /// Connections that the frames of a scenario belong to.
    static let connections = 256
}

// For callgrind to see: the compiler would find that neither does anything.
@inline(never) @_optimize(none) func scenarioBegins() {}
@inline(never) @_optimize(none) func scenarioEnds() {}

extension Question {
    /// Lets each kind of frames pass; says how many frames of each are counted.
    func instructions() throws -> Fields {
        let stream = Stream(huge: false)
        let loaded = try Loaded(Estate.small(), flows: settings, huge: false)
        var row = Fields()
        for scenario in Scenario.all {
            let worker = try Worker(stream, loaded.inForce, capacity: 8_192, isIPv4: scenario.isIPv4, huge: false)
            for number in 0..<Scenario.connections { worker.take(scenario.before(number), stream) }
            let frames = (0..<Scenario.connections).flatMap { scenario.counted($0) }
            let reference = try reference(scenario, stream, like: worker)
            for (name, side) in [(scenario.name, worker as (any Side)?), (scenario.name + ", in C", reference)] {
                guard let side else { continue }
                side.queue(frames, stream)
                scenarioBegins()
                side.run(frames.count, at: Self.now)
                scenarioEnds()
                row.add(name, frames.count)
            }
        }
        return row
    }

    /// The reference for a scenario that it has a part in, ready for the frames that are counted.
    private func reference(_ scenario: Scenario, _ stream: Stream, like worker: Worker) throws -> Reference? {
        guard scenario.isInC else { return nil }
        let reference = try Reference(
            stream, like: worker, isIPv4: scenario.isIPv4, huge: false, refuses: scenario.isRefused)
        // The flows were copied, refusals are its own.
        if scenario.isRefused { for number in 0..<Scenario.connections { reference.take(scenario.before(number), stream) } }
        return reference
    }
}

extension Side {
    /// Lets frames pass, one after the other.
    func take(_ frames: [Scenario.Arriving], _ stream: Stream) {
        for frame in frames {
            queue([frame], stream)
            run(1, at: Question.now)
        }
    }

    /// Puts frames into the receive rings.
    func queue(_ frames: [Scenario.Arriving], _ stream: Stream) {
        for (place, frame) in frames.enumerated() {
            stream.write(frame.bytes, at: place)
            rings[frame.port].receive(stream.descriptor(place))
        }
    }
}

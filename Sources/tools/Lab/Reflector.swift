// SPDX-License-Identifier: Apache-2.0
internal import CXDP
public import Link

/// Sends frames of the lab's generator back by the port that they come in by, by the program in `bpf/lab/reflector.bpf.c`, which leaves
/// the port with this object.
@safe public final class Reflector {
    private let program: LabProgram
    private let counts: UnsafeMutablePointer<cxdp_lab_count>

    /// Attaches to a port. The port is the caller's to choose: see `PortGuard`.
    public init(on port: Interface) throws(LabError) {
        program = try LabProgram("reflector", object: reflectorObject, maps: ["counts"])
        unsafe counts = try unsafe program.entry(0, of: cxdp_lab_count.self, count: Int(CXDP_LAB_QUEUES))
        try program.attach(to: port)
    }

    /// What has come by now, over all queues: `numbered` went back, `foreign` did not.
    public var arrived: Arrived {
        var sum = Arrived()
        for queue in 0..<Int(CXDP_LAB_QUEUES) {
            let count = unsafe counts[queue]
            sum.frames &+= count.frames
            sum.bytes &+= count.bytes
            sum.numbered &+= count.numbered
            sum.foreign &+= count.foreign
        }
        return sum
    }

    /// What the program makes of one frame, for tests.
    package func run(on frame: [UInt8]) throws(LabError) -> [UInt8] { try program.run(on: frame).frame }
}

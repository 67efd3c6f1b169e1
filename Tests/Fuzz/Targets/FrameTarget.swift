// SPDX-License-Identifier: Apache-2.0
import TestSupport

extension FuzzTarget {
    /// Whole frames, through every reader of Wire and into the tunnels.
    static let frame = FuzzTarget(
        "frame", "a frame is read or refused with a reason, the same way each time, and all offsets lie in it, in order",
        seeds: { Sample.all.map { (name: $0.name, bytes: $0.bytes) } },
        mutate: { input, random in
            let grammar = FrameGrammar.samples
            return Int.random(in: 0..<8, using: &random) == 0 ? grammar.frame(&random) : grammar.frame(from: input, &random)
        },
        flaw: {
            FrameOutcome.flaw(of: $0) ?? PlainFlaw.flaw(in: $0) ?? ReplyFlaw.flaw(inReplyTo: $0) ?? ChecksumFlaw.flaw(in: $0)
        })
}

extension FrameGrammar {
    /// The grammar of all samples, made once.
    public static let samples = FrameGrammar()
}

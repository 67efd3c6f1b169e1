// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    @Suite struct Link {
        @Test(arguments: [true, false])
        func `a port that loses its link takes the other one down and up again`(_ isFar: Bool) throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let (broken, other) = isFar ? (lab.db, lab.web) : (lab.web, lab.db)
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 5000)
            try broken.interface.set(up: false)
            let fell = try eventually("no link at the other side", within: 3) { try !other.interface.hasLink() }
            let name = isFar ? "p1" : "p0"
            try eventually("status to show it", within: 3, every: 0.02) { try lab.status().port(name).link == "down" }
            pause(0.3)
            let before = Moment.now
            try broken.interface.set(up: true)
            let rose = try eventually("a link at the other side", within: 5) { try other.interface.hasLink() }
            try eventually("status to show it", within: 3, every: 0.02) {
                try lab.status().ports.allSatisfy { $0.link == "up" }
            }
            pause(2)
            let arrivals = try stream.finish()
            #expect(arrivals.count(sentBefore: before, arrivedAfter: before) == 0, "old frames were sent late")
            let last = try #require(arrivals.frames.last)
            #expect(last.sent > before.advanced(milliseconds: 1000), "nothing passes after the link came back")
            figure(
                "link of \(name)",
                "the other side down after \(fell.short) ms, up again after \(rose.short) ms; \(arrivals.summary)")
        }
    }
}

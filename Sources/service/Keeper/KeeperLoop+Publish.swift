// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Logging

/// A snapshot and an address map on their way to data, or in force there.
struct Publication {
    let snapshot: Int32
    let map: Int32
    let generation: UInt64
    /// How many data processes have ended while it was the next that they were to answer.
    var failures = 0
    /// Whether a data process has accepted it once.
    var wasInForce = false

    func close() {
        Glibc.close(snapshot)
        Glibc.close(map)
    }
}

// A publication is an offer until data has answered it. Only one that is in force takes the place of the last one that was, so
// that a refused one is not what the next data process begins with. Data answers in order.

extension KeeperLoop {
    /// Offers that may wait for an answer; control waits for one before it makes the next.
    static let mostOffers = 4

    /// Passes a publication on to data, and keeps it for a data process that is started later.
    func publish(_ descriptors: [Int32], generation: UInt64, epoch: UInt64) {
        let offer = Publication(snapshot: descriptors[0], map: descriptors[1], generation: generation)
        guard offers.count < KeeperLoop.mostOffers else {
            offer.close()
            return tell(Message(.refused, generation))
        }
        offers.append(offer)
        if var facts = board?.facts {
            facts.lastEpoch = max(facts.lastEpoch, UInt32(truncatingIfNeeded: epoch))
            facts.lastGeneration = max(facts.lastGeneration, UInt32(truncatingIfNeeded: generation))
            board?.facts = facts
        }
        send(offer)
    }

    /// A data process that is just ending does not hear it: the next one will.
    func send(_ offer: Publication) {
        try? dataChannel?.send(Message(.publish, offer.generation), descriptors: [offer.snapshot, offer.map])
    }

    /// Data has answered the oldest offer.
    func answered(isInForce: Bool) {
        guard !offers.isEmpty else { return }
        var offer = offers.removeFirst()
        guard isInForce else { return offer.close() }
        publication?.close()
        offer.wasInForce = true
        publication = offer
    }

    /// To a data process that has no policy yet: what was in force, then what has not been answered. Nobody needs to be asked.
    func offerAgain() {
        if let publication {
            offers.insert(publication, at: 0)
            self.publication = nil
        }
        for offer in offers { send(offer) }
    }

    /// Data has ended. An offer at which two have ended is not made to a third where there is another policy to go back to.
    func blameOffer() {
        guard !offers.isEmpty else { return }
        offers[0].failures += 1
        let hasOther = publication != nil || offers.contains { $0.wasInForce }
        guard offers[0].failures > 1, hasOther, !offers[0].wasInForce else { return }
        let offer = offers.removeFirst()
        log.error("two data processes have ended at generation \(offer.generation): it is given up")
        offer.close()
        tell(Message(.refused, offer.generation))
    }
}

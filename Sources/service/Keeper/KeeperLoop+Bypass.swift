// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Link
internal import Logging
internal import Net

// An operator may order that everything passes unjudged for a while: to find out whether the firewall is what breaks something, or
// to get a service back before the cause is known. Keeper alone holds the deadline, because whoever ordered it may be gone by then:
// control may die, and so may keeper itself. So it is written down in the run folder, in a file that only keeper's user can write,
// and the next keeper goes on with it; what stands on the board is for `status`. An orderly stop ends it.
//
// In bypass the kernel moves every frame to the other port, whether workers run or not, and no table sees any of them: afterwards
// connections are under way that the tables do not know, which may be picked up for the grace.

extension KeeperLoop {
    /// Control's order: `seconds` from now, or the end of it. What is out of range is refused as a whole.
    func orderBypass(seconds: UInt64) {
        guard seconds <= Message.longestBypass else {
            return log.error("control orders \(seconds) s of bypass, \(Message.longestBypass) can be: nothing is changed")
        }
        // Before there are ports there is nothing to bypass.
        guard !machines.isEmpty else { return }
        guard seconds > 0 else {
            if bypassUntil > 0 { endBypass(because: "control ordered it") }
            return
        }
        log.warning("every pair forwards unjudged for \(seconds) s: control ordered a bypass")
        bypassUntil = now() &+ seconds * 1_000_000_000
        noteBypass()
        beginBypass()
    }

    /// Reads in the run folder what an earlier keeper was ordered. True when its time is over, and nobody has ended it.
    func recallBypass() -> Bool {
        guard let until = folder?.notedBypass() else { return false }
        let now = now()
        // The clock starts anew with the machine; the note names the run of the machine that it belongs to.
        guard until > now, until - now <= Message.longestBypass * 1_000_000_000 else { return true }
        bypassUntil = until
        return false
    }

    /// Goes on with what was recalled: to be called when the machines are there.
    func resumeBypass(isOverdue: Bool) {
        if isOverdue { return endBypass(because: "its time is over") }
        guard bypassUntil > 0 else { return }
        log.warning(
            "every pair forwards unjudged for another \((bypassUntil - now()) / 1_000_000_000) s: a bypass was ordered before")
        noteBypass()
        beginBypass()
    }

    /// Ends the bypass at its time; called with every tick.
    func tendBypass() {
        if bypassUntil > 0 && now() >= bypassUntil { endBypass(because: "its time is over") }
    }

    /// The mode of a pair as things are: `isServed` says whether workers run who take its frames.
    func mode(of machine: PairMachine, isServed: Bool) -> PortMode {
        if bypassUntil > 0 { return .bypass }
        return isServed ? machine.declared : machine.emergency
    }

    private func beginBypass() {
        // Each change costs the workers what they hold: one that is bypassed already stays as it is.
        for machine in machines where machine.mode.value != .bypass { setMode(machine, .bypass) }
    }

    private func endBypass(because cause: String) {
        bypassUntil = 0
        noteBypass()
        // Those of a former data process judge until they are asked to stop.
        let areServing = areWorkersRunning || formerData != nil && !wasFormerParked
        for machine in machines {
            machine.passedUnjudged = true
            // The workers read it when they see the mode's new epoch, so it must be there first.
            if areServing { oweGrace(machine) }
            setMode(machine, mode(of: machine, isServed: areServing && !machine.isWaiting))
        }
        log.notice("the bypass ends (\(cause)): frames are judged again")
    }

    private func noteBypass() {
        expectNoted(folder?.note(bypassUntil: bypassUntil), "until when a bypass was ordered")
        guard var facts = board?.facts else { return }
        facts.bypassUntil = bypassUntil
        board?.facts = facts
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Telemetry

// The course as the API sees it. What is asked often is answered from any thread, without waiting for changes.

extension Course: ControlPlane {
    /// The state now.
    nonisolated func status() -> StatusReport {
        var report = around.board.status()
        let facts = told.now
        report.epoch = max(report.epoch, facts.epoch)
        report.policy = facts.policy
        if let deadline = facts.deadline {
            let now = around.clock.boot()
            report.policy?.secondsLeft = deadline > now ? (deadline - now - 1) / 1_000_000_000 + 1 : 0
        }
        report.conditions = around.conditions.all
        return report
    }

    /// The set in force; `nil` before there is one.
    nonisolated func policy() -> PolicyReport? { around.inForce.report }

    /// Looks at everything that time changes, also where data has taken no generation of this control yet.
    func tick() async {
        lookAtBypass()
        tellLeftOut()
        await judgeTrial()
        await endLeases()
        await lookAtFiles()
    }
}

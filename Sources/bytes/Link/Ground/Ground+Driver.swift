// SPDX-License-Identifier: Apache-2.0

/// What a port's driver can do, and where it bites.
extension Ground {
    /// Findings about the driver.
    func driverFindings(_ port: PortFacts) -> [Finding] {
        let copies = copyFindings(port)
        let one = DriverNote.Case(
            port: port, demands: demands, kernel: machine.kernel, release: machine.release, mayZeroCopy: mayZeroCopy(port),
            cpus: machine.nodes.values.reduce(0) { $0 + $1.count })
        return nativeFindings(port) + copies
            + DriverNote.all.compactMap { note in
                guard note.drivers.contains(port.interface.driver), note.applies(one) else { return nil }
                return Finding(
                    note.code, note.severity, port: port.name, what: note.what, why: note.why, remedy: note.remedy(one))
            }
            + pollFindings(port)
    }

    /// Whether the driver has zero-copy in this kernel: as it says itself, else as is known of it; nil where nobody knows.
    private func hasZeroCopy(_ port: PortFacts) -> Bool? {
        if let abilities = port.abilities { return abilities.zeroCopy }
        let driver = port.interface.driver
        if DriverNote.alwaysCopy.contains(driver) { return false }
        guard let since = DriverNote.zeroCopySince[driver], let kernel = machine.kernel else { return nil }
        return kernel >= since
    }

    /// Whether frames may cross without a copy there: asked for, and possible as far as anybody knows.
    private func mayZeroCopy(_ port: PortFacts) -> Bool {
        demands.copy != .copy && !demands.generic && hasZeroCopy(port) != false
    }

    private func nativeFindings(_ port: PortFacts) -> [Finding] {
        // A veth's depends on its far end, which has findings of its own.
        guard !demands.generic, !port.isVeth, let abilities = port.abilities, !abilities.native else { return [] }
        return [
            Finding(
                .noNativeXDP, .error, port: port.name, what: "its driver (\(driverName(port))) runs no XDP programs",
                why: "the pair asks for native XDP",
                remedy: .advice("set `xdp: generic` for the pair and accept that it is slower"))
        ]
    }

    private func copyFindings(_ port: PortFacts) -> [Finding] {
        guard demands.copy != .copy, !demands.generic, hasZeroCopy(port) == false else { return [] }
        let (name, driver) = (port.name, port.interface.driver)
        let since = DriverNote.zeroCopySince[driver]
        if demands.copy == .zeroCopy {
            let can = since.map { "from Linux \($0) on" } ?? "in no kernel that is known"
            return [
                Finding(
                    .noZeroCopy, .error, port: name,
                    what: "its driver (\(driverName(port))) has no zero-copy, or not in this kernel",
                    why: "the pair demands it (`copy: zero-copy`); this driver has it \(can)",
                    remedy: .advice("set `copy: auto` for the pair"))
            ]
        }
        guard let since, let kernel = machine.kernel, kernel < since else { return [] }
        return [
            Finding(
                .zeroCopyYounger, .note, port: name, what: "zero-copy for \(driver) came with Linux \(since), this is \(kernel)",
                why: "frames are copied between kernel and packet memory", remedy: .advice("boot a kernel from \(since) on"))
        ]
    }

    private func driverName(_ port: PortFacts) -> String {
        let name = port.interface.driver.isEmpty ? port.interface.kind : port.interface.driver
        return name.isEmpty ? "unknown" : name
    }

    /// Busy polling works only where the device's interrupts wait for the poller.
    private func pollFindings(_ port: PortFacts) -> [Finding] {
        guard demands.poll == .busy, let deferral = port.deferral, deferral.interrupts == 0 || deferral.timeout == 0 else {
            return []
        }
        return [
            Finding(
                .busyPollUnprepared, .warning, port: port.name,
                what: "its interrupts do not wait for the poller (\(deferral.interrupts) deferred, \(deferral.timeout) ns)",
                why: "with `poll: busy` both work on the same queue, and the worker loses its turn",
                remedy: .command(
                    "echo 2 > \(deferral.folder)/napi_defer_hard_irqs && echo 200000 > \(deferral.folder)/gro_flush_timeout"))
        ]
    }
}

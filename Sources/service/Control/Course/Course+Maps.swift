// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Logging
internal import Policy
internal import State
internal import Telemetry

// Workloads in the maps that workers read, whichever generations are in force, on their way or being compiled meanwhile.

extension Course {
    /// Brings workloads into line that came, went and moved while a generation was compiled; whether there is one that its image or its
    /// map cannot take up, which is left out.
    func bringUp(_ publication: Publication) -> Bool {
        var isBehind = false
        // What stands in a document goes before a registration of its name.
        for name in journal ?? [] where !publication.isWritten(name) {
            guard let now = parts.registered[name]?.workload else {
                publication.remove(name)
                continue
            }
            if !publication.admits(now) || (try? publication.put(now)) == nil {
                // Not under the addresses that it had before either: they may be somebody else's by now.
                publication.remove(name)
                isBehind = true
            }
        }
        journal = nil
        return isBehind
    }

    /// Lets another generation follow one that could not take up all workloads that came while it was compiled. Until then they are
    /// unknown addresses.
    func catchUp(with generation: UInt32) {
        around.log.notice(
            "workloads that came while generation \(generation) was compiled are unknown to it: another one follows with them")
        Task {
            do {
                try await inTurn(isOwn: true) { try await renew() }
                around.conditions.clear("behind")
            } catch {
                around.conditions.raise(
                    "behind",
                    "workloads that came while generation \(generation) was compiled are not in force, and the next one does not "
                        + "come: \(Self.refusal(error).detail); reload, or register them again")
            }
        }
    }

    /// Brings workloads into line in every map that workers read or are about to: what clients registered only where no document of the
    /// generation has the name. False where a map has no room, or the image beside it cannot tell what a workload is, so that a new
    /// generation is needed.
    func enter(_ changes: [ObjectName: Workload?], fromFiles: Bool = false) -> Bool {
        if !fromFiles { journal?.formUnion(changes.keys) }
        var isBehind = false
        var seen: [UInt32: [ObjectName: Workload?]] = [:]
        do {
            for publication in [live].compactMap({ $0 }) + onTheWay {
                let visible = fromFiles ? changes : changes.filter { !publication.isWritten($0.key) }
                for (name, now) in visible {
                    if fromFiles { publication.rewrite(name, isThere: now != nil) }
                    guard let now else {
                        publication.remove(name)
                        continue
                    }
                    if publication.admits(now) {
                        try publication.put(now)
                    } else {
                        publication.remove(name)
                        isBehind = true
                    }
                }
                around.names.extend(publication.generation, workloads: publication.newNames())
                seen[publication.generation] = visible
            }
        } catch { return false }
        for (generation, visible) in seen { around.inForce.change(visible, in: generation) }
        if fromFiles { rehearseAnew() } else { rehearse(changes) }
        return !isBehind
    }

    /// A new generation of what serves, with a larger map.
    func renew() async throws {
        let publication = try await prepare(parts, configuration)
        try await establish(publication, parts, serving.text, serving.revision, isNew: false)
    }
}

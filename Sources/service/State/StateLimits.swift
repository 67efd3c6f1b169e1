// SPDX-License-Identifier: Apache-2.0

/// How much the store keeps. Everything in it is bounded, so that nobody who may change policy can fill the disk with it.
package struct StateLimits: Sendable {
    /// So many revisions are kept, and all that are younger than `revisionAge`.
    package var revisions = 1_000
    /// Revisions younger than this are kept, in nanoseconds: 90 days.
    package var revisionAge: Int64 = 90 * 86_400 * 1_000_000_000
    /// Bytes of documents and places of all revisions; older ones go when there are more, however young.
    package var contents: Int64 = 256 << 20
    /// Bytes of documents and places of one revision.
    package var content = 64 << 20
    /// Registered workloads.
    package var registrations = 262_144
    /// Bytes of one registered workload's document.
    package var registration = 65_536
    /// Lines of the audit log in the store, before the oldest of them move to an archive.
    package var auditLines: Int64 = 20_000
    /// Lines that move at once.
    package var archiveLines: Int64 = 10_000
    /// Archives that are kept.
    package var archives: Int64 = 10
    /// Pages of 4096 bytes that the whole store may have: 1 GiB.
    package var pages = 262_144
    /// Milliseconds that an opening waits for another process to let go of the folder, and a call for one that reads the store.
    package var patience = 5_000

    /// What ships.
    package init() {}
}

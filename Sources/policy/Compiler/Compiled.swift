// SPDX-License-Identifier: Apache-2.0
public import Policy
public import Record

/// What a set becomes: the image that workers read, and the causes that its records name.
public struct Compiled: Sendable {
    /// The snapshot image, for `Snapshot(validating:byteCount:)`.
    public var image: [UInt8]
    /// The cause of every side record.
    public var causes: CauseTable
    /// The set that it was made of.
    public var set: PolicySet
    /// How much of what there is.
    public var figures: Figures

    /// How large a compiled set is.
    public struct Figures: Sendable, Equatable {
        /// Rules of all policies.
        public var rules = 0
        /// Label sets of the inventory.
        public var labelSets = 0
        /// Classes of label sets.
        public var labelClasses = 0
        /// Classes of the image.
        public var classes = 0
        /// Prefixes in the trie.
        public var prefixes = 0
        /// Distinct rows.
        public var rows = 0
        /// Entries in the hash of rows.
        public var rowEntries = 0
        /// Distinct service tables.
        public var tables = 0
        /// Intervals of all service tables.
        public var intervals = 0
        /// Side records.
        public var records = 0
    }
}

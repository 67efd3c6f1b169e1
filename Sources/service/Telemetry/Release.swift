// SPDX-License-Identifier: Apache-2.0

/// Which Bulkhead this is.
public enum Release {
    /// Its version (semver.org).
    public static let version = "0.1.0"
}

// SPDX-License-Identifier: Apache-2.0
internal import CXDP

/// What a process of Bulkhead gives up before it does anything else.
public enum Privileges {
    /// Drops every capability and the way to get one back (no_new_privs), and keeps the user: control reads configuration files that
    /// may be readable for root alone, and writes its socket, but can neither load a program nor touch a port. To be called before
    /// the process has a second thread. False when the kernel refused, and then nothing may be relied on.
    public static func dropKeepingUser() -> Bool { cxdp_drop_privileges(0, 0, true) == 0 }
}

// SPDX-License-Identifier: Apache-2.0
internal import CXDP

/// Memory that the kernel pins for a UMEM counts against RLIMIT_MEMLOCK, which is 8 MiB by default and does not hold one queue.
public enum PinnedMemory {
    /// Lifts the limit for this process and its children; false without the privilege to do so.
    public static func lift() -> Bool { cxdp_raise_memlock() == 0 }

    /// Whether there is no limit. Where there is one, only CAP_IPC_LOCK lets more be pinned.
    public static var isUnlimited: Bool { cxdp_memlock() == .max }
}

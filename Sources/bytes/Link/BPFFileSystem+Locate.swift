// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// Where the BPF file system is. Mostly at /sys/fs/bpf. But `ip netns exec` hides that behind a fresh sysfs in a private mount
/// namespace, which ends with its processes, and all pins in it. So one is looked for, and if need be mounted, in the mount
/// namespace of a process above us: of process 1 if we may, else of the eldest ancestor that we may enter.
extension BPFFileSystem {
    static let standardRoot = "/sys/fs/bpf"

    /// Finds the BPF file system, or mounts one where it outlives this process if that can be done.
    public static func locate() throws(LinkError) -> BPFFileSystem {
        if unsafe cxdp_is_bpffs(standardRoot) == 1 { return try BPFFileSystem(root: standardRoot, origin: .own) }
        let elders = outerProcesses()
        for process in elders where unsafe cxdp_is_bpffs(outerRoot(process)) == 1 {
            return try outer(process, .outer(process: process))
        }
        for process in elders where unsafe cxdp_mount_bpffs_of(process, standardRoot) == 0 {
            return try outer(process, .mountedOuter(process: process))
        }
        let mounted = unsafe cxdp_mount_bpffs(standardRoot)
        guard mounted == 0 else { throw .noBPFFileSystem(path: standardRoot, errno: -mounted) }
        return try BPFFileSystem(root: standardRoot, origin: .mountedHere)
    }

    /// Process 1 and our ancestors, eldest first, as far as they have other mounts than ours and let us see them.
    private static func outerProcesses() -> [Int32] {
        var ancestors: [Int32] = []
        var process = getppid()
        while process > 1, ancestors.count < 64 {
            ancestors.append(process)
            process = cxdp_parent(process)
        }
        return ([1] + ancestors.reversed()).filter { cxdp_shares_mounts($0) == 0 }
    }

    private static func outerRoot(_ process: Int32) -> String {
        "/proc/\(process)/root\(standardRoot)"
    }

    /// The root as seen through another process. The folder is held open: the process may end, and only who has its capabilities
    /// may look through it, which keeper does not after its start.
    private static func outer(_ process: Int32, _ origin: Origin) throws(LinkError) -> BPFFileSystem {
        let path = outerRoot(process)
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try checked(folder < 0 ? -errno : folder, "opening", path)
        let anchor = FileDescriptor(owning: folder)
        return try BPFFileSystem(root: "/proc/self/fd/\(folder)", origin: origin, anchor: anchor)
    }
}

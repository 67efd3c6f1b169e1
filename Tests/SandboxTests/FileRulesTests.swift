// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Sandbox

@Suite("File rules", .enabled(if: FileRules.version > 0, "needs Landlock in the kernel")) struct FileRulesTests {
    /// A folder with a file in each of three folders: `own`, `read` and `other`.
    private static func folder() -> String {
        var name = Array("/tmp/bulkhead-sandbox-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&name) != nil else { _exit(201) }
        let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for part in ["own", "read", "other"] {
            unsafe mkdir("\(path)/\(part)", 0o755)
            close(unsafe open("\(path)/\(part)/file", O_WRONLY | O_CREAT, 0o644))
        }
        return path
    }

    private static func remove(_ path: String) {
        for part in ["own", "read", "other"] {
            for name in ["file", "new"] { unsafe unlink("\(path)/\(part)/\(name)") }
            unsafe rmdir("\(path)/\(part)")
        }
        unsafe rmdir(path)
    }

    /// The error of opening, 0 where it worked.
    private static func error(_ path: String, _ flags: Int32) -> Int32 {
        let file = unsafe open(path, flags, 0o600)
        defer { if file >= 0 { close(file) } }
        return file >= 0 ? 0 : errno
    }

    @Test func `let files be read, or changed too, where they say so, and nowhere else`() async {
        // In a process of its own; there in a thread that ends with it, because the rules hold for the thread that asks.
        await #expect(processExitsWith: .success) {
            let path = Self.folder()
            let rules = FileRules(readable: [path + "/read", "/nowhere"], writable: [path + "/own"])
            do {
                try Privileges.drop(to: nil)
                try rules.install(.enforce)
            } catch {
                _exit(200)
            }
            let new = O_WRONLY | O_CREAT | O_EXCL
            let seen = [
                Self.error(path + "/own/file", O_RDWR), Self.error(path + "/own/new", new),
                Self.error(path + "/read/file", O_RDONLY),
                Self.error(path + "/read/file", O_WRONLY), Self.error(path + "/read/new", new),
                Self.error(path + "/other/file", O_RDONLY), Self.error("/etc/passwd", O_RDONLY), unsafe unlink(path + "/own/new"),
            ]
            guard seen == [0, 0, 0, EACCES, EACCES, EACCES, EACCES, 0] else { _exit(202) }
            _exit(0)
        }
    }

    @Test func `hold nothing back in the modes log and off`() async {
        await #expect(processExitsWith: .success) {
            do {
                try Privileges.drop(to: nil)
                try FileRules().install(.log)
                try FileRules().install(.off)
            } catch {
                _exit(200)
            }
            _exit(Self.error("/etc/passwd", O_RDONLY))
        }
    }

    @Test func `leave nothing to a process without rules for any path`() async {
        await #expect(processExitsWith: .exitCode(EACCES)) {
            do {
                try Privileges.drop(to: nil)
                try FileRules().install(.enforce)
            } catch {
                _exit(200)
            }
            _exit(Self.error("/etc/passwd", O_RDONLY))
        }
    }
}

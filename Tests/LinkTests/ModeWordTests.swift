// SPDX-License-Identifier: Apache-2.0
import CXDP
import Glibc
import Link
import Net
import Testing

extension Kernel {
    /// The mode word: one store for mode and epoch, seen by readers that cannot write.
    @Suite struct ModeWordTests {
        @Test func `setting a mode bumps the epoch, also when the mode stays`() throws {
            try withBPFFileSystem { files in
                let word = try ModeWord(pair: "p", on: files)
                for (count, mode) in [PortMode.closed, .open, .open, .bypass, .block].enumerated() {
                    word.set(mode)
                    #expect(word.value == mode)
                    #expect(word.epoch == UInt32(count + 1))
                }
            }
        }

        @Test func `the next process finds the value that the last one left`() throws {
            try withBPFFileSystem { files in
                do { try ModeWord(pair: "p", on: files).set(.open) }
                let word = try ModeWord(pair: "p", on: files)
                #expect(word.value == .open && word.epoch == 1)
                #expect(try ModeWord(pair: "q", on: files).value == .block)
            }
        }

        @Test func `a reader sees changes through a mapping that cannot be made writable`() throws {
            try withBPFFileSystem { files in
                let word = try ModeWord(pair: "p", on: files)
                let handed = dup(word.fileDescriptor)
                var seen: UnsafePointer<UInt32>?
                #expect(unsafe cxdp_map_mode(handed, &seen) == 0)
                close(handed)
                let words = try unsafe #require(seen)
                defer { unsafe cxdp_unmap_mode(words) }
                word.set(.open)
                #expect(unsafe words[0] == PortMode.open.rawValue)
                #expect(unsafe words[1] == 1)
                #expect(unsafe cxdp_read_mode(words) == 1 << 32 | UInt64(PortMode.open.rawValue))
                #expect(unsafe mprotect(UnsafeMutableRawPointer(mutating: words), 4096, PROT_READ | PROT_WRITE) != 0)
            }
        }

        @Test func `another map at its place is an error that names the path`() throws {
            try withBPFFileSystem { files in
                let word = try ModeWord(pair: "p", on: files)
                let path = try shell("find \(files.root) -name mode").split(separator: "\n").map(String.init)[0]
                word.unpin()
                try shell("mkdir -p $(dirname \(path))")
                try shell("bpftool map create \(path) type array key 4 value 4 entries 1 name other")
                #expect(throws: LinkError.strangePin(path: path)) { try ModeWord(pair: "p", on: files) }
            }
        }
    }
}

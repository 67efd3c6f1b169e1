// SPDX-License-Identifier: Apache-2.0
// embed-bpf CLANG SOURCE OUTPUT: compiles a BPF program and writes its object as a Swift file. What the compiler says goes to
// standard error, and from there into the output of `swift build`.
import Foundation

func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("error: \(message)\n".utf8))
    exit(1)
}

/// The folder where Debian keeps `asm/types.h` and its kin, which the BPF target does not search by itself.
func systemHeaders() -> String {
    #if arch(x86_64)
        "/usr/include/x86_64-linux-gnu"
    #elseif arch(arm64)
        "/usr/include/aarch64-linux-gnu"
    #else
        #error("Bulkhead builds for x86_64 and aarch64.")
    #endif
}

/// The bytes as one literal: a StaticString compiles at once, where an array of thousands of integers takes seconds. It must
/// be UTF-8, so each half of a byte becomes one letter from `a` to `p`.
func swiftFile(_ object: Data, from source: String) -> String {
    // `redirect.bpf.c` becomes `redirectObject`.
    let stem = source.prefix { $0 != "." }
    let letters = Array("abcdefghijklmnop".utf8)
    let text = object.flatMap { [letters[Int($0 >> 4)], letters[Int($0 & 15)]] }
    return """
        // Made by embed-bpf from \(source). Each letter from a to p is half a byte, the higher half first.
        let \(stem)Object: StaticString = "\(String(decoding: text, as: UTF8.self))"

        """
}

guard CommandLine.arguments.count == 4 else { fail("usage: embed-bpf CLANG SOURCE OUTPUT") }
let (clangPath, source, output) = (CommandLine.arguments[1], CommandLine.arguments[2], CommandLine.arguments[3])
let object = output + ".o"
do {
    let clang = Process()
    clang.executableURL = URL(fileURLWithPath: clangPath)
    clang.arguments = [
        "-target", "bpf", "-O2", "-g", "-Wall", "-Werror", "-idirafter", systemHeaders(), "-c", source, "-o", object,
    ]
    try clang.run()
    clang.waitUntilExit()
    guard clang.terminationStatus == 0 else { fail("\(source) does not compile (it needs linux-libc-dev and libbpf-dev)") }
    let bytes = try Data(contentsOf: URL(fileURLWithPath: object))
    let name = URL(fileURLWithPath: source).lastPathComponent
    try swiftFile(bytes, from: name).write(toFile: output, atomically: true, encoding: .utf8)
} catch {
    fail("\(output) cannot be made: \(error)")
}

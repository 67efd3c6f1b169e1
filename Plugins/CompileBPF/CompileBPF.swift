// SPDX-License-Identifier: Apache-2.0
import Foundation
import PackagePlugin

/// Compiles programs for the kernel with the toolchain's own clang and puts each object into the target as a Swift file: for Link those
/// that lie in `bpf/` (`redirect.bpf.c` becomes `redirectObject`), for another target those in `bpf/` and its own name in small letters.
/// The objects themselves are no declared outputs: that would drag Foundation's resource accessor into a room that must not have it.
@main struct CompileBPF: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
        let (package, tool) = (context.package.directoryURL, try context.tool(named: "embed-bpf").url)
        let clang = try context.tool(named: "clang").url
        let folder = package.appending(path: target.name == "Link" ? "bpf" : "bpf/" + target.name.lowercased())
        // What any program may include: a change of it compiles all of them anew.
        let shared = package.appending(path: "Sources/bytes/CXDP/include/cxdp_lab.h")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path()).filter { $0.hasSuffix(".bpf.c") }.sorted()
        return names.map { name in
            let source = folder.appending(path: name)
            let stem = String(name.dropLast(".bpf.c".count))
            let output = context.pluginWorkDirectoryURL.appending(path: "\(stem.capitalized)Object.swift")
            return .buildCommand(
                displayName: "Compiling \(name) for the kernel", executable: tool,
                arguments: [clang.path(), source.path(), output.path()], inputFiles: [source, shared], outputFiles: [output])
        }
    }
}

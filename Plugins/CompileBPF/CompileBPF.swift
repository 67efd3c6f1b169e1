// SPDX-License-Identifier: Apache-2.0
import Foundation
import PackagePlugin

/// Compiles `bpf/redirect.bpf.c` with the toolchain's own clang and puts the object into the target as a Swift file. The object
/// itself is no declared output: that would drag Foundation's resource accessor into a room that must not have it.
@main struct CompileBPF: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
        let source = context.package.directoryURL.appending(path: "bpf/redirect.bpf.c")
        let output = context.pluginWorkDirectoryURL.appending(path: "RedirectObject.swift")
        return [
            .buildCommand(
                displayName: "Compiling redirect.bpf.c for the kernel",
                executable: try context.tool(named: "embed-bpf").url,
                arguments: [try context.tool(named: "clang").url.path(), source.path(), output.path()],
                inputFiles: [source],
                outputFiles: [output])
        ]
    }
}

// SPDX-License-Identifier: Apache-2.0
import Control
import Dispatch
import Engine
import Glibc
import Layout

// One binary, three processes, and the verbs that are clients of them. Keeper and data run on the main thread and must not find
// another one when they begin: they hold signals back and give privilege up for the thread they are on. So nothing at the top of
// this file may wait: a single `await` here would make the runtime start threads first, and park this one with its signals open.
let words = Array(CommandLine.arguments.dropFirst())
switch words.first {
case "data": exit(DataProcess.run())
// Doctor visits network namespaces, which are a thread's; the lab holds signals back.
case "run", "doctor", "lab": exit(Bulkhead.runAlone(words))
case "control":
    guard Privileges.dropKeepingUser() else {
        complain("bulkhead control cannot give up its capabilities; is the kernel older than 3.5?")
        exit(1)
    }
    finish { await ControlProcess.run(arguments: Array(words.dropFirst())) }
default: finish { await Bulkhead.run(words) }
}

/// Ends the process with the code that the work returns.
func finish(_ work: @escaping @Sendable () async -> Int32) -> Never {
    Task { exit(await work()) }
    dispatchMain()
}

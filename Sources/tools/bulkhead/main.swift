// SPDX-License-Identifier: Apache-2.0
import Control
import Dispatch
import Engine
import Glibc

// One binary, three processes, and the verbs that are clients of them. Each of the three gives up what it does not need, for the thread that
// it is on, and keeper and data run on the main thread and hold signals back for it: so none must find another thread when it begins, and
// nothing at the top of this file may wait. A single `await` here would make the runtime start threads first, and park this one with its
// signals open.
let words = Array(CommandLine.arguments.dropFirst())
switch words.first {
case "data": exit(DataProcess.run(arguments: Array(words.dropFirst())))
// Doctor visits network namespaces, which are a thread's; the lab holds signals back.
case "run", "doctor", "lab": exit(Bulkhead.runAlone(words))
case "control":
    switch ControlProcess.begin(arguments: Array(words.dropFirst())) {
    case .over(let code): exit(code)
    case .ready(let start): finish { await ControlProcess.run(start) }
    }
default: finish { await Bulkhead.run(words) }
}

/// Ends the process with the code that the work returns.
func finish(_ work: @escaping @Sendable () async -> Int32) -> Never {
    Task { exit(await work()) }
    dispatchMain()
}

// SPDX-License-Identifier: Apache-2.0
import Control
import Engine
import Glibc
import Keeper

// Two first words are not for people: keeper starts this binary anew as one of its processes. Data must not have another thread when
// it begins, and neither must control when it gives itself its mask, so this stands before everything that waits.
let words = Array(CommandLine.arguments.dropFirst())
// Threads inherit the mask of the one that starts them: the runtime's must not take keeper's signals, so they are held back first.
if words.first == "run" { KeeperProcess.holdSignals() }
switch words.first {
case "data": exit(DataProcess.run())
case "control": exit(await ControlProcess.run(arguments: Array(words.dropFirst())))
default: exit(await Bulkhead.run(words))
}

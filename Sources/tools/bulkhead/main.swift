// SPDX-License-Identifier: Apache-2.0
import Control
import Engine
import Glibc

// Two first words are not for people: keeper starts this binary anew as one of its processes. Data must not have another thread when
// it begins, and neither must control when it gives itself its mask, so this stands before everything that waits.
let words = Array(CommandLine.arguments.dropFirst())
switch words.first {
case "data": exit(DataProcess.run())
case "control": exit(await ControlProcess.run(arguments: Array(words.dropFirst())))
default: exit(await Bulkhead.run(words))
}

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a store of flows holds.

    stored.py FILE    prints {"admitted", "refused", "lost"}: starts, refusals with those that a record carries as a number, and records
                      that the store says are missing

A row's record is a FlowRecord as it is: `suppressed` at 80, `event` at 136 (0 a start, 4 a refusal).
"""
import json
import sqlite3
import struct
import sys

RECORD = struct.Struct("=80xI52xB")


def main():
    database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    counted = {"admitted": 0, "refused": 0}
    for (record,) in database.execute("SELECT record FROM flows"):
        suppressed, event = RECORD.unpack_from(record)
        if event == 0:
            counted["admitted"] += 1
        elif event == 4:
            counted["refused"] += 1 + suppressed
    (counted["lost"],) = database.execute("SELECT COALESCE(SUM(count), 0) FROM losses").fetchone()
    print(json.dumps(counted))


main()

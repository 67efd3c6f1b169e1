# SPDX-License-Identifier: Apache-2.0
"""How far a comparison has come: lines on standard error, with the minutes since its begin, so that standard output holds figures alone."""
import sys
import time

BEGAN = time.monotonic()


def tell(line):
    """Says what was just done."""
    passed = int(time.monotonic() - BEGAN)
    print(f"[{passed // 60}:{passed % 60:02d}] {line}", file=sys.stderr, flush=True)

# SPDX-License-Identifier: Apache-2.0
"""What a row must come up to: its bound and whether it was held, in words that a row of figures carries.

A bound that was not held may be out of anybody's reach on the machine: where the same work in C, measured beside it in the same run,
misses it too, the row says so.
"""


def judged(value, least=None, most=None, in_c=None):
    """The fields `bound` and `held` for a figure that must be at least or at most something: `yes`, `no`, or `no, nor in C` where the
    figure of the same work in C lies beyond the bound too. How far the figure is from C's is another question, and stands beside it."""
    def holds(figure):
        return (least is None or figure >= least) and (most is None or figure <= most)

    bound = f"at least {least}" if least is not None else f"at most {most}"
    held = "yes" if holds(value) else "no" if in_c is None or holds(in_c) else "no, nor in C"
    return {"bound": bound, "held": held}


def sentences(rows, name):
    """How each bound fared over all runs, for a report: one sentence for each row that has one. `name` makes a row's name."""
    found = {}
    for row in rows:
        if "held" in row:
            found.setdefault(name(row), []).append(row)
    said = []
    for title, runs in found.items():
        held = sum(row["held"] == "yes" for row in runs)
        beyond = sum(row["held"] == "no, nor in C" for row in runs)
        sentence = f"{title}: {runs[0]['bound']}, held in {held} of {len(runs)} runs" if len(runs) > 1 else \
            f"{title}: {runs[0]['bound']}, {'held' if held else 'not held'}"
        if beyond:
            beside = [row["bulkhead_to_in_c"] for row in runs if "bulkhead_to_in_c" in row]
            ratio = f", of which Bulkhead has {', '.join(map(str, beside))}" if beside else ""
            sentence += (f"; in {beyond} of them the same work in C misses it too{ratio}" if len(runs) > 1 else
                         f"; the same work in C misses it too{ratio}")
        said.append(sentence + ".")
    return said

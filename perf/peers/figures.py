# SPDX-License-Identifier: Apache-2.0
"""From samples to rows, curves and plain sentences about who wins."""
from dataclasses import dataclass
from statistics import median

from chart import Chart, curves

COLUMNS = ["subject", "frame_bytes", "rules", "flows", "mpps", "mpps_spread", "ratio", "ratio_spread", "cpu_ns_per_frame",
           "task_ns_per_frame", "own_ns_per_frame", "sent_mpps", "version", "driver", "error"]
OURS, AGAIN, WIRE = "bulkhead", "a/a", "wire"


@dataclass
class Sample:
    """One measurement: frames a second that were sent and that arrived, and processors' worth of time by either account."""
    sent: float
    arrived: float
    busy: float
    tasks: float

    def cost(self, worth):
        """Nanoseconds for each frame that arrived."""
        return worth * 1e9 / self.arrived if self.arrived else None


def spread(values, digits=3):
    """The least and the greatest."""
    return [round(min(values), digits), round(max(values), digits)]


def ratios(ours, theirs):
    """Bulkhead's frames over a subject's, round by round; a round in which either is missing is left out."""
    return [ours[turn].arrived / theirs[turn].arrived for turn in sorted(theirs) if turn in ours and theirs[turn].arrived]


def own_cost(sample, floor):
    """What remains of a frame's time, by the exact account, without generator and sink: the bare wire's is taken off for each frame
    that was sent."""
    return sample.cost(sample.tasks - sample.sent * floor / 1e9)


def row(subject, size, samples, all_samples):
    """One row. `samples` are a subject's of one size by round, `all_samples` everybody's: {(subject, size): {round: Sample}}."""
    found = list(samples.values())
    rates = [each.arrived / 1e6 for each in found]
    result = {
        "subject": subject, "frame_bytes": size, "mpps": round(median(rates), 4), "mpps_spread": spread(rates, 4),
        "sent_mpps": round(median(each.sent for each in found) / 1e6, 4)}
    against = ratios(all_samples.get((OURS, size), {}), samples)
    if against and subject not in (OURS, WIRE):
        result |= {"ratio": round(median(against), 3), "ratio_spread": spread(against)}
    heard = [each for each in found if each.arrived]
    if heard:
        result["cpu_ns_per_frame"] = round(median(each.cost(each.busy) for each in heard))
        result["task_ns_per_frame"] = round(median(each.cost(each.tasks) for each in heard))
    floors = [each.cost(each.tasks) for each in all_samples.get((WIRE, size), {}).values() if each.arrived]
    if heard and floors and subject != WIRE:
        result["own_ns_per_frame"] = round(median(own_cost(each, median(floors)) for each in heard))
    return result


def sentences(rows, titles):
    """Who wins, by how much, and whether it can be told: one sentence for each row beside ours. Somebody wins or loses whose ratios of all
    rounds lie on one side of 1, and beyond those of Bulkhead against itself."""
    ours = {each["frame_bytes"]: each for each in rows if each["subject"] == OURS and "mpps" in each}
    noise = {each["frame_bytes"]: each["ratio_spread"] for each in rows if each["subject"] == AGAIN and "ratio_spread" in each}
    said = []
    for each in rows:
        mine = ours.get(each.get("frame_bytes"))
        if "ratio" not in each or not mine or each["subject"] == AGAIN:
            continue
        low, high = each["ratio_spread"]
        name, size = titles[each["subject"]], each["frame_bytes"]
        rate = f"{1 / each['ratio']:.2f} times Bulkhead's frames a second ({1 / high:.2f} to {1 / low:.2f})"
        calm = [1, *noise.get(size, [])]
        verdict = "wins" if high < min(calm) else "loses" if low > max(calm) else "is not told apart"
        sentence = f"{name}, {size} bytes: {verdict} by rate, {rate}"
        if each.get("own_ns_per_frame") and mine.get("own_ns_per_frame"):
            sentence += f"; {each['own_ns_per_frame'] / mine['own_ns_per_frame']:.2f} times its own processor time for each frame"
        said.append(sentence + ".")
    return said


def doubts(rows):
    """What makes figures doubtful: more work on the machine than that of the tasks that belong to the measurement."""
    more = [(each["cpu_ns_per_frame"] / each["task_ns_per_frame"], each) for each in rows if each.get("task_ns_per_frame")]
    loud = [(times, each) for times, each in more if times > 1.1]
    if not loud:
        return []
    worst, each = max(loud, key=lambda pair: pair[0])
    return [f"Doubtful: during {len(loud)} of {len(more)} rows the machine did more than the measurement's own tasks, up to "
            f"{worst:.2f} times as much ({each['subject']}, {each['frame_bytes']} bytes). Something else was running; repeat it on "
            "a quiet machine."]


def charts(rows, titles):
    """Frames and processor time over the size of frames, a curve for each subject."""
    named = [{**each, "title": titles[each["subject"]]} for each in rows if each["subject"] != AGAIN]
    inside = [each for each in named if each["subject"] != WIRE]
    return [
        Chart("peers", "Frames through one queue", "bytes of a frame", "M frames a second",
              curves(inside, "title", "frame_bytes", "mpps", "mpps_spread")),
        Chart("cpu", "Processor time for a frame, all cores, generator and sink included", "bytes of a frame", "ns a frame",
              curves(named, "title", "frame_bytes", "cpu_ns_per_frame"))]

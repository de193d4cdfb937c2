"""Turns what `scripts/bench ping` and `scripts/bench run` measured into tables, and compares it with what was promised.

    ping_tables.py many|rtt|idle DIRECTORY     exit status 1: a promise was not kept

Standard library only. What the columns mean stands in docs/benchmarks.md.
"""

import json
import os
import re
import sys
from statistics import median

# What was promised.
TARGETS = 20000
RTT_US = 20.0
RESIDENT_KB = 10 * 1024
IDLE_PERCENT = 0.1

missed = []


def promise(what, kept, words):
    print(f"- {what}: {words}: {'kept' if kept else '**MISSED**'}")
    if not kept:
        missed.append(what)


def lines(directory, name):
    with open(os.path.join(directory, name), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def many(directory):
    print("| sockets | asked | answered | median | p99 | max | took | processor time |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    answered = []
    for kind in ("datagram", "raw"):
        for run in lines(directory, f"many-{kind}.jsonl"):
            answered.append((run["asked"], run["answered"]))
            print(f"| {kind} | {run['asked']} | {run['answered']} | {run['median_us']:.1f} µs | {run['p99_us']:.1f} µs "
                  f"| {run['max_us']:.0f} µs | {run['took_ms']:.0f} ms | {run['cpu_ms']:.0f} ms |")
    print()
    promise(f"of {TARGETS} targets at once none lost", all(a == b and a >= TARGETS for a, b in answered),
            ", ".join(f"{b} of {a}" for a, b in answered))


def of_ping(path):
    """The averages of `ping -q`, in microseconds."""
    with open(path, encoding="utf-8") as file:
        return [float(m.group(1)) * 1000 for m in re.finditer(r"= [\d.]+/([\d.]+)/", file.read())]


def rtt(directory):
    print("| cores | series each | vpnprobe, median of the averages | `ping` | apart |")
    print("|---|---:|---:|---:|---:|")
    apart = {}
    for cores in ("idle", "busy"):
        ours = [run["avg_us"] for run in lines(directory, f"rtt-{cores}.jsonl")]
        theirs = of_ping(os.path.join(directory, f"rtt-{cores}.ping"))
        apart[cores] = abs(median(ours) - median(theirs))
        print(f"| {cores} | {min(len(ours), len(theirs))} | {median(ours):.1f} µs | {median(theirs):.1f} µs "
              f"| {apart[cores]:.1f} µs |")
    print()
    for cores, micros in apart.items():
        promise(f"RTT beside `ping`'s, cores {cores}", micros <= RTT_US, f"{micros:.1f} µs apart, promised ≤ {RTT_US:g}")


def idle(directory):
    run = lines(directory, "idle.jsonl")[0]
    print("| sites | rows written before | resident | of it anonymous | peak | processor time | in |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    print(f"| {run['sites']} | {run['rows']} | {run['rss_kb'] / 1024:.1f} MB | {run['anon_kb'] / 1024:.1f} MB "
          f"| {run['peak_kb'] / 1024:.1f} MB | {run['cpu_ms']:.0f} ms | {run['seconds']:.0f} s |")
    print()
    percent = run["cpu_ms"] / run["seconds"] / 10
    promise("resident with 100 sites", run["rss_kb"] <= RESIDENT_KB, f"{run['rss_kb'] / 1024:.1f} MB, promised ≤ 10 MB")
    promise("idle", percent <= IDLE_PERCENT, f"{percent:.3f} % of a core, promised ≤ {IDLE_PERCENT:g} %")


if __name__ == "__main__":
    {"many": many, "rtt": rtt, "idle": idle}[sys.argv[1]](sys.argv[2])
    sys.exit(1 if missed else 0)

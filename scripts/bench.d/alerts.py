"""Tables for `scripts/bench alerts`, from what bench-alerts prints (one JSON object a line on stdin).

    alerts.py policy|handed     exit status 1: a promise was not kept
"""

import json
import sys
from statistics import median

POLICY_SECONDS = 1
HANDED_MS = 50


def promise(what, kept, words):
    print(f"\n- {what}: {words}: {'kept' if kept else '**MISSED**'}")
    return 0 if kept else 1


def policy(runs):
    seconds = [run["seconds"] for run in runs]
    print("| thirty days of a thousand sites every ten minutes | runs | min | median | max | a look |")
    print("|---|---:|---:|---:|---:|---:|")
    looks, events = runs[0]["looks"], runs[0]["events"]
    print(f"| {looks:,} looks, {events:,} events | {len(runs)} | {min(seconds):.3f} s | {median(seconds):.3f} s "
          f"| {max(seconds):.3f} s | {median(seconds) / looks * 1e9:.0f} ns |")
    return promise("policy", median(seconds) <= POLICY_SECONDS, f"{median(seconds):.3f} s, promised ≤ {POLICY_SECONDS} s")


def handed(runs):
    (run,) = runs
    took = run["ms"]
    rank = lambda percent: took[-(-len(took) * percent // 100) - 1]
    print("| from the observation to the channel (ms) | n | min | median | p95 | p99 | max |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    print(f"| {run['sites']:,} sites, a state of {run['state_bytes'] / 1e6:.2f} MB | {len(took)} | {took[0]:.1f} "
          f"| {rank(50):.1f} | {rank(95):.1f} | {rank(99):.1f} | {took[-1]:.1f} |")
    return promise("handed over", rank(99) <= HANDED_MS, f"p99 {rank(99):.1f} ms, promised ≤ {HANDED_MS} ms")


sys.exit({"policy": policy, "handed": handed}[sys.argv[1]]([json.loads(line) for line in sys.stdin]))

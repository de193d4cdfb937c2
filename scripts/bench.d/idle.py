"""Runs the prober with many sites until each of them has its first row, then watches it doing nothing.

    idle.py SECONDS ROWS RESULTS PROGRAM [ARGUMENT…]

One JSON object to stdout: resident memory (kB) and processor time (ms) over the seconds. Standard library only.
"""

import glob
import json
import os
import signal
import subprocess
import sys
import time

PATIENCE = 300


def rows(results):
    count = 0
    for name in glob.glob(os.path.join(results, "*.csv")):
        with open(name, encoding="utf-8") as file:
            count += sum(1 for line in file) - 1
    return count


def processor_ms(pid):
    """From schedstat, which counts nanoseconds; over all threads."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="utf-8") as file:
            total += int(file.read().split()[0])
    return total / 1e6


def status_kb(pid, key):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key + ":"))


def main():
    seconds, wanted, results, *command = sys.argv[1:]
    seconds, wanted = float(seconds), int(wanted)
    prober = subprocess.Popen(command)
    try:
        began = time.monotonic()
        while rows(results) < wanted:
            if prober.poll() is not None or time.monotonic() - began > PATIENCE:
                sys.exit(f"idle.py: only {rows(results)} of {wanted} rows")
            time.sleep(0.5)
        time.sleep(2)
        before = processor_ms(prober.pid)
        time.sleep(seconds)
        print(json.dumps({
            "sites": wanted, "rows": rows(results), "seconds": seconds,
            "cpu_ms": processor_ms(prober.pid) - before,
            "rss_kb": status_kb(prober.pid, "VmRSS"), "anon_kb": status_kb(prober.pid, "RssAnon"),
            "peak_kb": status_kb(prober.pid, "VmHWM"),
        }))
    finally:
        prober.send_signal(signal.SIGTERM)
        prober.wait()


main()

"""What a client that floods its terminal costs the prober: processor time and memory of `vpnprobe test` itself.

    flood_cpu.py MEGABYTES COMMAND…      a table, and whether the promises are kept

The client floods at one place of its dialogue after the other, in lines and in one line; once it does not flood at all,
which is what the others are compared with.
"""

import json
import os
import subprocess
import sys
import time

# Promised for 100 MB.
CPU_S = 2.0
# Memory may differ by so much from run to run.
GROWTH_KIB = 2048
TICKS = os.sysconf("SC_CLK_TCK")
PLACES = ["start", "prompt", "connected", "leaving"]


def cpu_s(pid):
    """Processor time of the process alone, its ended threads included; of one that waits to be reaped, all of it."""
    with open(f"/proc/{pid}/stat", "rb") as stat:
        fields = stat.read().rsplit(b")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)


def run(order, command):
    environment = dict(os.environ, BENCH_FLOOD=order)
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    peak = 0
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, process.pid, flags) is None:
        peak = max(peak, peak_kib(process.pid))
        time.sleep(0.005)
    took, cpu = time.monotonic() - began, cpu_s(process.pid)
    verdict = json.loads(process.communicate()[0])["verdict"]
    return {"took": took, "cpu": cpu, "peak": peak, "verdict": verdict}


def main():
    megabytes, command = sys.argv[1], sys.argv[2:]
    orders = [""] + [f"{place} {megabytes} {shape}" for place in PLACES for shape in ["lines", "line"]]
    print(f"| {megabytes} MB, where and how | CPU of the prober (s) | its memory at most (MiB) | cycle (s) | verdict |")
    print("|---|---:|---:|---:|---|")
    kept, without = True, None
    for order in orders:
        result = run(order, command)
        without = without or result
        place, _, shape = order.split(" ") if order else ("none", "", "")
        shape = {"lines": ", in lines", "line": ", in one line", "": ""}[shape]
        print(
            f"| {place}{shape} | {result['cpu']:.2f} | {result['peak'] / 1024:.1f} | {result['took']:.1f} "
            f"| {result['verdict']} |",
            flush=True,
        )
        kept = kept and result["cpu"] <= CPU_S and result["peak"] <= without["peak"] + GROWTH_KIB
        kept = kept and result["verdict"] == "up"
    print(f"\n- CPU for {megabytes} MB: promised \u2264 {CPU_S:.0f} s, and no growth: {'kept' if kept else 'NOT KEPT'}")
    sys.exit(0 if kept else 1)


main()

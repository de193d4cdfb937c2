"""Measures `vpnprobe ipsec` on a strongSwan whose tunnels are up, and makes the table.

    ipsec.py pass PROGRAM SOCKET LIST LAB       one pass, beside what MIPsec does; then with all tunnels down
    ipsec.py asleep PROGRAM SOCKET LIST SECONDS what the daemon holds between its passes

Exit status 1: a promise was not kept. Standard library only. What the columns mean stands in docs/benchmarks.md.
"""

import os
import subprocess
import sys
import time
from statistics import median

# What was promised.
PASS_MS, TIMES, RESIDENT_KB = 100.0, 20.0, 4096
PASSES, PASSES_DOWN = 40, 3
PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mipsec_like.py")


def took(command, status):
    began = time.perf_counter()
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if ended.returncode != status:
        sys.exit(f"ipsec.py: `{' '.join(command)}` ended with {ended.returncode}: {ended.stderr.decode()}")
    return (time.perf_counter() - began) * 1000


def one_pass(program, socket, names, lab):
    ours = [program, "ipsec", "--quiet", "--socket", socket, "--config", names]
    # The lab's copy: another may be confined.
    swanctl = os.path.join(os.path.dirname(socket), "..", "bin", "swanctl")
    theirs = [sys.executable, PEER, socket, names, swanctl]
    rows = {"vpnprobe ipsec, all up": [], "as MIPsec, all up": []}
    # In turns: what the machine does meanwhile falls on both.
    for _ in range(PASSES):
        for row, command in zip(rows.values(), (ours, theirs)):
            row.append(took(command, 0))
    for connection in range(10):
        subprocess.run([lab, "swanctl", "prober", "--terminate", "--ike", f"many-{connection:02}", "--force"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    rows["as MIPsec, all down (a call of swanctl each)"] = [took(theirs, 1) for _ in range(PASSES_DOWN)]
    print("| one pass over 200 tunnels (ms) | n | min | median | max |\n|---|---:|---:|---:|---:|")
    for name, values in rows.items():
        print(f"| {name} | {len(values)} | {min(values):.1f} | {median(values):.1f} | {max(values):.1f} |")
    ours, _, calls = (median(values) for values in rows.values())
    print(f"\nA call of swanctl for each tunnel takes {calls / ours:.0f} times as long as a pass.")
    if ours > PASS_MS or calls / ours < TIMES:
        sys.exit(f"ipsec.py: promised are {PASS_MS:.0f} ms and {TIMES:.0f} times")


def asleep(program, socket, names, seconds):
    command = [program, "ipsec", "--quiet", "--socket", socket, "--config", names, "--daemon", "--interval", "5"]
    daemon = subprocess.Popen(command)
    try:
        time.sleep(2)
        resident = []
        for _ in range(int(seconds) * 10):
            with open(f"/proc/{daemon.pid}/status", encoding="utf-8") as file:
                status = dict(line.split(":", 1) for line in file)
            resident.append(int(status["VmRSS"].split()[0]))
            time.sleep(0.1)
    finally:
        daemon.terminate()
        ended = daemon.wait()
    if ended != 0:
        sys.exit(f"ipsec.py: the daemon ended with {ended}")
    peak, anon = status["VmHWM"].split()[0], status["RssAnon"].split()[0]
    print("| the daemon, 200 tunnels (kB) | median | max | of it its own | peak of a pass |\n|---|---:|---:|---:|---:|")
    print(f"| resident | {median(resident):.0f} | {max(resident)} | {anon} | {peak} |")
    if median(resident) > RESIDENT_KB:
        sys.exit(f"ipsec.py: promised are {RESIDENT_KB} kB")


def main():
    part, *arguments = sys.argv[1:]
    {"pass": one_pass, "asleep": asleep}[part](*arguments)


main()

"""What waiting at a prompt costs: starts programs whose client hangs there and reads their processor time before and
after. Both at once: they only wait.

    wait_cpu.py SECONDS STAMPS NAME COMMAND… [-- NAME COMMAND…]…   one JSON object a program

The client of NAME puts its stamps into STAMPS/NAME when it hangs.
"""

import json
import os
import subprocess
import sys
import time

# A client that does not get to its prompt in this time never will.
START = 20


def cpu_ns(pid):
    """Processor time of a whole process, user and system, ended threads included: clock_getcpuclockid(3) as the kernel
    counts it, in nanoseconds where /proc/PID/stat has ticks of 10 ms."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def prove_the_clock():
    """Burns a known amount and sees it: a clock that stands still would keep every promise."""
    before, end = cpu_ns(os.getpid()), time.process_time_ns() + 20_000_000
    while time.process_time_ns() < end:
        pass
    if not 19e6 < cpu_ns(os.getpid()) - before < 40e6:
        sys.exit("wait_cpu.py: the processor clock of a process does not tell the truth here")


def commands(words):
    command = []
    for word in words + ["--"]:
        if word != "--":
            command.append(word)
            continue
        yield command[0], command[1:]
        command = []


def main():
    prove_the_clock()
    seconds, stamps = float(sys.argv[1]), sys.argv[2]
    running = []
    for name, command in commands(sys.argv[3:]):
        environment = dict(os.environ, BENCH_HANG="1")
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        running.append((name, process))
    try:
        wait(seconds, stamps, running)
    finally:
        for _, process in running:
            process.terminate()
        for _, process in running:
            process.wait()


def wait(seconds, stamps, running):
    deadline = time.monotonic() + START
    while not all(os.path.exists(os.path.join(stamps, name)) for name, _ in running):
        if time.monotonic() > deadline:
            sys.exit("wait_cpu.py: a client did not get to its prompt")
        time.sleep(0.01)
    before = {name: cpu_ns(process.pid) for name, process in running}
    began = time.monotonic()
    time.sleep(seconds)
    for name, process in running:
        if process.poll() is not None:
            sys.exit(f"wait_cpu.py: {name} ended while it should have waited")
        spent = cpu_ns(process.pid) - before[name]
        waited = time.monotonic() - began
        total = cpu_ns(process.pid)
        print(json.dumps({"name": name, "waited_s": waited, "cpu_ms": spent / 1e6, "total_ms": total / 1e6}))


main()

"""Turns what scripts/bench measured into the tables of docs/benchmarks.md, and compares it with what was promised.

    tables.py clock|wait|cycle DIRECTORY     exit status 1: a promise was not kept

Standard library only. What the columns mean stands in docs/benchmarks.md.
"""

import json
import math
import os
import sys
from statistics import median

# What was promised, in milliseconds.
LAG_MEDIAN, LAG_P99 = 0.2, 2.0
WAIT_CPU = 10.0
OVERHEAD = 50.0

missed = []


def read(directory, name):
    with open(os.path.join(directory, name), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def percentile(values, share):
    """Nearest rank: a value that was measured, never one between two."""
    values = sorted(values)
    return values[max(0, math.ceil(share * len(values)) - 1)]


def heading(what):
    print(f"| {what} (ms) | n | min | median | p95 | p99 | max |\n|---|---:|---:|---:|---:|---:|---:|")


def row(name, values):
    numbers = [min(values), median(values), percentile(values, 0.95), percentile(values, 0.99), max(values)]
    print(f"| {name} | {len(values)} | " + " | ".join(f"{n:.3f}" for n in numbers) + " |")


def promise(what, value, limit):
    kept = value <= limit
    print(f"- {what}: {value:.3f} ms, promised ≤ {limit:g} ms: {'kept' if kept else '**MISSED**'}")
    if not kept:
        missed.append(what)


class Stamps:
    """What one client noted, in nanoseconds of the monotonic clock."""

    def __init__(self, path):
        asked = None
        self.answers = []
        with open(path, encoding="utf-8") as file:
            for line in file:
                name, at = line.split()
                if name == "asked":
                    asked = int(at)
                elif name == "answered":
                    self.answers.append((int(at) - asked) / 1e6)
                elif name == "main":
                    self.main = int(at)
                elif name == "word":
                    self.word = int(at)


class Logins:
    """Logins of one program, measured on both sides by one clock."""

    def __init__(self, directory, name):
        self.lag, self.answers, self.each, self.total, self.start = [], [], [], [], []
        for login in read(directory, name):
            stamps = Stamps(login["stamps"])
            self.lag.append((login["heard_ns"] - stamps.word) / 1e6)
            self.answers.append(sum(stamps.answers))
            self.each.extend(stamps.answers)
            self.total.append((login["heard_ns"] - login["spawned_ns"]) / 1e6)
            self.start.append((stamps.main - login["spawned_ns"]) / 1e6)
        self.too_long = [lag + answers for lag, answers in zip(self.lag, self.answers)]


def clock(directory):
    ours = Logins(directory, "library.jsonl")
    theirs = Logins(directory, "pexpect.jsonl")
    tuned = Logins(directory, "pexpect-none.jsonl")
    floor = Logins(directory, "floor.jsonl")
    names = [
        ("vpnprobe", ours),
        ("a bare blocking read", floor),
        ("pexpect", theirs),
        ("pexpect, delaybeforesend=None", tuned),
    ]
    for title, field in [
        ("login time minus the client's own clock", "lag"),
        ("one answer, from its question to the client", "each"),
        ("all answers of a login", "answers"),
        ("login too long, lag and answers", "too_long"),
        ("the login time itself", "total"),
    ]:
        heading(title)
        for name, logins in names:
            row(name, getattr(logins, field))
        print()
    ratio = [median(theirs.too_long) / median(ours.too_long), median(tuned.too_long) / median(ours.too_long)]
    print(f"pexpect's login is {ratio[0]:.0f} times as much too long as vpnprobe's (medians), without")
    print(f"delaybeforesend {ratio[1]:.1f} times. Of the lag, what the machine takes for a bare read left out (medians),")
    print(f"{median(ours.lag) - median(floor.lag):.3f} ms are vpnprobe's and {median(theirs.lag) - median(floor.lag):.3f} ms pexpect's own.\n")
    program(directory, ours)
    promise("login time minus the client's own clock, median", median(ours.lag), LAG_MEDIAN)
    promise("login time minus the client's own clock, p99", percentile(ours.lag, 0.99), LAG_P99)


def program(directory, library):
    """The program itself, from outside: its `login_ms` against the client's clock, which begins in `main`."""
    difference, answers = [], []
    for cycle in read(directory, "program.jsonl"):
        stamps = Stamps(os.path.join(directory, "stamps", cycle["site"]))
        difference.append(cycle["login_ms"] - (stamps.word - stamps.main) / 1e6)
        answers.append(sum(stamps.answers))
    heading("`vpnprobe test --json`: the program as it is")
    row("`login_ms` minus the client's clock, which begins in its `main`", difference)
    row("the same by the library: lag, and the client's start from exec to `main`",
        [lag + start for lag, start in zip(library.lag, library.start)])
    row("of which the client's start", library.start)
    row("all answers of a login", answers)
    print()


def wait(directory):
    print("| program | waited | CPU while waiting (ms) | CPU since its start (ms) |\n|---|---:|---:|---:|")
    spent = {}
    for result in read(directory, "wait.jsonl"):
        spent[result["name"]] = result["cpu_ms"]
        print(f"| {result['name']} | {result['waited_s']:.1f} s | {result['cpu_ms']:.3f} | {result['total_ms']:.3f} |")
    print()
    promise("CPU for the wait at a prompt", spent["vpnprobe"], WAIT_CPU)


class Cycle:
    """One cycle: what is the prober's own in it."""

    def __init__(self, result):
        self.took = {stage["stage"]: stage["took_ms"] for stage in result["stages"]}
        self.up = result["verdict"] == "up"
        login = result["login_ms"]
        self.login = self.took["login"] if login is None else login
        self.asking = sum(self.took.get(stage, 0.0) for stage in ("external", "gateway", "internal"))
        self.cycle = result["cycle_ms"]
        self.rest = self.cycle - sum(self.took.values())
        self.around = self.took["prepare"] + self.took["cleanup"] + self.rest
        if "calls" in result:
            self.look_inside(result)

    def look_inside(self, result):
        self.calls = {}
        for stage, began in result["began"].items():
            ended = began + self.took[stage]
            self.calls[stage] = [call for call in result["calls"] if began <= call[1] < ended]
        looks = [call for call in self.calls["teardown"] if call[0] == "proc"]
        # The client is asked right after the first look; the last one begins when its last process has ended.
        self.leaving = max(0.0, looks[-1][1] - looks[0][2]) if len(looks) > 1 else 0.0
        self.teardown = self.took["teardown"] - self.leaving
        self.strict = self.cycle - self.asking - self.login - self.leaving
        # After its word the client's script still makes the interface and its routes: between the first look at the
        # interfaces and the one that finds the tunnel, the stage waits for it.
        changes = [call for call in self.calls["login"] if call[0] == "watch"]
        looks = [call for call in self.calls["login"] if call[0] == "snapshot"]
        self.coming = looks[-1][1] - looks[0][2] if len(looks) > 1 else 0.0
        self.before_spawn = changes[0][1] - result["began"]["login"] - self.login if changes else 0.0
        self.after_word = self.took["login"] - self.login - self.coming - self.before_spawn
        self.overhead = self.strict - self.coming

    def spent(self, name, stages):
        return sum(end - begin for stage in stages for call, begin, end in self.calls.get(stage, []) if call == name)


def cycle(directory):
    for site in ["startct-good", "openconnect-good"]:
        cycles = [Cycle(result) for result in read(directory, f"cycle-{site}.jsonl")]
        program = [Cycle(result) for result in read(directory, f"cycle-program-{site}.jsonl")]
        if not all(c.up for c in cycles + program):
            missed.append(f"a cycle of {site} was not up: its figures mean nothing")
        heading(f"`{site}`")
        row("whole cycle", [c.cycle for c in cycles])
        row("− what is asked of others (`external`, `gateway`, `internal`)", [c.asking for c in cycles])
        row("− login (`login_ms`)", [c.login for c in cycles])
        row("− the tunnel's coming up after the client's word", [c.coming for c in cycles])
        row("− the client's own leaving", [c.leaving for c in cycles])
        row("**= own overhead**", [c.overhead for c in cycles])
        row("`prepare`", [c.took["prepare"] for c in cycles])
        row("`login` until spawn has returned", [c.before_spawn for c in cycles])
        row("`login` after the client's word, less the coming up", [c.after_word for c in cycles])
        row("`teardown` less the leaving", [c.teardown for c in cycles])
        row("`cleanup`", [c.took["cleanup"] for c in cycles])
        row("between the stages", [c.rest for c in cycles])
        print()
        heading("the same otherwise")
        own = ["prepare", "cleanup"]
        row("all looks at `/proc` in `prepare` and `cleanup`", [c.spent("proc", own) for c in cycles])
        row("all looks at interfaces and routes there", [c.spent("snapshot", own) + c.spent("watch", own) for c in cycles])
        row("overhead with the tunnel's coming up counted as ours", [c.strict for c in cycles])
        row("`prepare`, `cleanup` and between the stages", [c.around for c in cycles])
        row("that, by `vpnprobe test --json`", [c.around for c in program])
        print()
        promise(f"own overhead of a cycle, {site}, median", median(c.overhead for c in cycles), OVERHEAD)
        promise(f"own overhead of a cycle, {site}, max", max(c.overhead for c in cycles), OVERHEAD)
        print()


def main():
    {"clock": clock, "wait": wait, "cycle": cycle}[sys.argv[1]](sys.argv[2])
    for what in missed:
        print(f"bench: missed: {what}", file=sys.stderr)
    sys.exit(1 if missed else 0)


main()

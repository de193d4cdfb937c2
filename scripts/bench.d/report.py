"""Measures `vpnprobe report` beside DuckDB on the same day files, for `scripts/bench report`.

    report.py whole|sidecars|append|equal     exit status 1: a promise was not kept

What to measure with stands in the environment: BENCH_PROGRAM, BENCH_CONFIG (its day files are BENCH_ROWS), BENCH_PERIOD
(`FROM TO`, days; the newest file is that of the day after it), BENCH_DUCKDB (a Python with the package), BENCH_NEXT
(the file of one day more). Standard library only. What the columns mean stands in docs/benchmarks.md.
"""

import datetime
import json
import os
import shutil
import subprocess
import sys
import time
from statistics import median

# What was promised.
TIMES_FASTER = 2
RESIDENT_MB = 64
SIDECARS_MS = 50
# Beside the cost of the one day: of its own summary, and of what a clock this short makes of it.
APPEND_MS = 10
WITHIN = 0.001

ROUNDS = 5
SIDECAR_ROUNDS = 20
HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM, CONFIG, ROWS = (os.environ[name] for name in ("BENCH_PROGRAM", "BENCH_CONFIG", "BENCH_ROWS"))
WITHOUT = ["--no-summaries"]

missed = []


def promise(what, kept, words):
    print(f"- {what}: {words}: {'kept' if kept else '**MISSED**'}")
    if not kept:
        missed.append(what)


def run(command, keep=True):
    """Seconds, resident at most in KB, processor seconds, and stdout, or its length where it is not to be kept. What this
    very process holds is the least that can be told: the kernel counts what a program's process held before it became
    that program."""
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        if keep:
            out = child.stdout.read()
        else:
            out = 0
            while piece := child.stdout.read(1 << 20):
                out += len(piece)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - began
    if child.returncode != 0:
        sys.exit(f"bench: `{' '.join(command)}` ended with {child.returncode}")
    return took, usage.ru_maxrss, usage.ru_utime + usage.ru_stime, out


def report(first, last, *more, form="json", keep=False):
    period = ["--from", first, "--to", last, "--format", form]
    return run([PROGRAM, "-q", "-c", CONFIG, "report", *period, *more], keep)


def duckdb(start, end, rows=ROWS):
    *_, out = run([os.environ["BENCH_DUCKDB"], os.path.join(HERE, "report_duckdb.py"), rows, str(start), str(end)])
    return json.loads(out)


def period():
    return os.environ["BENCH_PERIOD"].split()


def bounds(first, last):
    """Milliseconds of the first moment, and of the first one after it. UTC."""
    days = [datetime.datetime.fromisoformat(day + "T00:00:00+00:00").timestamp() for day in (first, last)]
    return round(days[0] * 1000), round(days[1] * 1000) + 86_400_000


def files():
    """Paths of all files that lie there now."""
    return {os.path.join(directory, name) for directory, _, names in os.walk(ROWS) for name in names}


def clear(before):
    """Removes what was made since."""
    for path in files() - before:
        os.unlink(path)


def warm():
    """Everything into the page cache, where both find it; says what it was. Gives the rows up to the period's last day."""
    lines = size = days = after = 0
    first, last = period()
    for name in sorted(files()):
        own = 0
        with open(name, "rb") as file:
            while piece := file.read(1 << 20):
                own += piece.count(b"\n")
                size += len(piece)
        lines += own
        days += name.endswith(".csv")
        # The file of the day after has no row of the period, and no report lists it.
        after += own - 1 if name.endswith(".csv") and name[-14:-4] > last else 0
    print(f"{first} to {last}: {lines - days:,} rows in {days} files, {size / 1e9:.2f} GB, read from the page cache.\n")
    return lines - days - after


def heading(words):
    print(f"| {words} | runs | min | median | max | processor time, median | resident at most |")
    print("|---|---:|---:|---:|---:|---:|---:|")


def row(name, runs):
    """Of what `run` tells."""
    seconds, resident, cpu = ([run[n] for run in runs] for n in range(3))
    print(f"| {name} | {len(runs)} | {min(seconds):.3f} s | {median(seconds):.3f} s | {max(seconds):.3f} s "
          f"| {median(cpu):.3f} s | {max(resident) / 1024:.1f} MB |")


def middle(runs, column=0):
    return median(run[column] for run in runs)


def whole():
    first, last = period()
    before = files()
    warm()
    ours, theirs, texts = [], [], []
    # In turns: what the machine does meanwhile falls on all.
    for _ in range(ROUNDS):
        ours.append(report(first, last, *WITHOUT, form="table"))
        texts.append(report(first, last, *WITHOUT))
        found = duckdb(*bounds(first, last))
        theirs.append((found["seconds"], found["resident_kb"], found["cpu_seconds"]))
    if files() != before:
        sys.exit(f"bench: `{WITHOUT[0]}` left files: {sorted(files() - before)[:3]}")
    heading("without summaries")
    row("`vpnprobe report`, all of the program", ours)
    row(f"the same with `--format json` ({texts[0][-1] / 1e6:.0f} MB)", texts)
    row(f"DuckDB {found['version']}, 2 threads, its statements alone", theirs)
    print()
    ratio, resident = middle(theirs) / middle(ours), max(run[1] for run in ours + texts) / 1024
    promise("time beside DuckDB's", ratio >= TIMES_FASTER, f"{ratio:.2f} times as fast, promised {TIMES_FASTER}")
    promise("resident", resident <= RESIDENT_MB, f"{resident:.1f} MB, promised ≤ {RESIDENT_MB}")


def sidecars():
    first, last = period()
    before = files()
    warm()
    took = report(first, last)[0]
    made = files() - before
    if not made:
        sys.exit("bench: no summaries were written")
    size = sum(os.path.getsize(path) for path in made)
    again = [report(first, last, form="table") for _ in range(SIDECAR_ROUNDS)]
    texts = [report(first, last) for _ in range(SIDECAR_ROUNDS)]
    clear(before)
    print(f"The first run took {took:.3f} s and left {len(made)} summaries of {size / 1e6:.2f} MB together.\n")
    heading("with summaries")
    row("`vpnprobe report`", again)
    row(f"the same with `--format json` ({texts[0][-1] / 1e6:.0f} MB)", texts)
    print()
    took = middle(again) * 1000
    promise("with summaries", took <= SIDECARS_MS, f"{took:.1f} ms, promised ≤ {SIDECARS_MS}")


def append():
    first, last = period()
    day = str(datetime.date.fromisoformat(last) + datetime.timedelta(days=1))
    bare = files()
    warm()
    report(first, last)
    shutil.copy(os.environ["BENCH_NEXT"], ROWS)
    before = files()
    added, one = [], []
    for _ in range(ROUNDS):
        added.append(report(first, day, form="table"))
        clear(before)
        one.append(report(day, day, *WITHOUT, form="table"))
    report(first, day)
    after = [report(first, day, form="table") for _ in range(ROUNDS)]
    clear(bare)
    heading("one more day")
    for name, runs in (("year and the new day, which has no summary yet", added), ("the same, once it has", after),
                       ("the new day alone, for which two files are read", one)):
        row(name, runs)
    print()
    # In processor time: what a day costs is less than what a busy machine adds and takes.
    cost, alone, again = (middle(runs, 2) * 1000 for runs in (added, one, after))
    cost, alone = cost - again, alone / 2
    promise("a day more", cost <= alone + APPEND_MS,
            f"{cost:.1f} ms of a processor, a file alone {alone:.1f} ms, promised ≤ {APPEND_MS} ms more")


def millis(text):
    since = datetime.datetime.fromisoformat(text) - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return since // datetime.timedelta(milliseconds=1)


def thousandths(number):
    return None if number is None else round(number * 1000)


def ours_in_their_form(site):
    """A site of the report as the SQL has it: whole milliseconds and microseconds."""
    return {
        "cycles": {word: site["cycles"][word] for word in ("up", "down", "unknown")},
        "up_ms": thousandths(site["up_s"]), "down_ms": thousandths(site["downtime_s"]),
        "unknown_ms": thousandths(site["unknown_s"]),
        "fault_domains": {domain["fault_domain"]: thousandths(domain["downtime_s"])
                          for domain in site["fault_domains"] if domain["downtime_s"]},
        "outages": [[millis(outage["start"]), millis(outage["end"]), outage["open"]] for outage in site["outages"]],
        **{name: {key: value if key == "n" else thousandths(value) for key, value in site[name + suffix].items()}
           for name, suffix in (("login", "_ms"), ("external", "_rtt_ms"), ("internal", "_rtt_ms"))},
    }


def quantile_differs(name, ours, theirs):
    """Of few values the higher ones are not told; `n` and `max` are exact, the others within what is stated."""
    if name in ("n", "max"):
        return ours != theirs
    if theirs is None or ours is None:
        return ours != theirs
    return abs(ours - theirs) > WITHIN * theirs


def differences(ours, theirs, exact_quantiles=False):
    """Of two lists of sites, in words."""
    found = [f"{site}: only in one" for site in sorted(ours.keys() ^ theirs.keys())]
    for site in sorted(ours.keys() & theirs.keys()):
        for key, expected in theirs[site].items():
            seen = ours[site][key]
            if key in ("login", "external", "internal") and not exact_quantiles:
                least = {"n": 0, "p50": 1, "p95": 20, "p99": 100, "max": 1}
                told = {k: v if expected["n"] >= least[k] else None for k, v in expected.items()}
                found += [f"{site}.{key}.{name}: {seen[name]}, not {value}" for name, value in told.items()
                          if quantile_differs(name, seen[name], value)]
            elif seen != expected:
                words = [(a, b) for a, b in zip(seen, expected) if a != b][:1] if key == "outages" else (seen, expected)
                found.append(f"{site}.{key}: {len(seen)} and {len(expected)}: {words}" if key == "outages"
                             else f"{site}.{key}: {seen}, not {expected}")
    return found


def agree(what, found):
    for words in found[:10]:
        print(f"bench: {what}: {words}", file=sys.stderr)
    promise(what, not found, f"{len(found)} differences")


def equal():
    first, last = period()
    days = datetime.timedelta(days=1)
    # The whole, and without its first and last day, so that something holds on from the day before.
    inner = [str(datetime.date.fromisoformat(first) + days), str(datetime.date.fromisoformat(last) - days)]
    rows = warm()
    before = files()
    for begin, until in ((first, last), inner):
        theirs = duckdb(*bounds(begin, until))["sites"]
        without = json.loads(report(begin, until, *WITHOUT, keep=True)[-1])
        ours = {site["site"]: ours_in_their_form(site) for site in without["sites"]}
        cycles = sum(sum(site["cycles"].values()) for site in theirs.values())
        outages = sum(len(site["outages"]) for site in theirs.values())
        print(f"{begin} to {until}: {cycles:,} cycles, {outages:,} outages.\n")
        agree("vpnprobe and DuckDB", differences(ours, theirs))
        if begin == first:
            read = [sum(file["rows"] for file in without["inputs"]), without["problems"]["unreadable"]]
            agree("rows read, rows unreadable", [] if read == [rows, 0] else [f"{read}, not {[rows, 0]}"])
        for what in ("made", "read"):
            with_them = json.loads(report(begin, until, keep=True)[-1])
            keys = [key for key in without if key != "generated" and without[key] != with_them[key]]
            agree(f"with and without summaries ({what})", keys)
        clear(before)
        if cycles <= 200_000:
            start, end = bounds(begin, until)
            naive = run([sys.executable, os.path.join(HERE, "report_naive.py"), ROWS, str(start), str(end)])
            agree("the SQL and the slow way", differences(theirs, json.loads(naive[-1])["sites"], exact_quantiles=True))
        print()


def main():
    {"whole": whole, "sidecars": sidecars, "append": append, "equal": equal}[sys.argv[1]]()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()

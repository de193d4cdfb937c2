"""The figures of report_duckdb.py once more, by another way, slow and obvious: to check the SQL on a small history.

    report_naive.py DIRECTORY START_MS END_MS

Every moment at which anything can change cuts the period into pieces; of each piece the rows are asked what was known
in it. Standard library only.
"""

import csv
import datetime
import decimal
import glob
import json
import math
import os
import sys

MEASURED = {"login": "login_ms", "external": "external_rtt_ms", "internal": "internal_rtt_ms"}


def micros(cell):
    return int(decimal.Decimal(cell) * 1000) if cell else None


def millis_of(time):
    since = datetime.datetime.fromisoformat(time) - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return since // datetime.timedelta(milliseconds=1)


def rows_of(directory):
    sites = {}
    for path in glob.glob(os.path.join(directory, "*.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            for cells in csv.DictReader(file):
                row = {"t": millis_of(cells["time"]), "verdict": cells["verdict"], "domain": cells["fault_domain"],
                       "hold": int(decimal.Decimal(cells["interval_s"]) * 2000), "restore": None}
                if cells["verdict"] == "up" and int(cells["restarts"] or 0) >= 1 and cells["restore_ms"]:
                    row["restore"] = math.ceil(decimal.Decimal(cells["restore_ms"]))
                row.update((name, micros(cells[column])) for name, column in MEASURED.items())
                sites.setdefault(cells["site"], []).append(row)
    return {site: sorted(rows, key=lambda row: row["t"]) for site, rows in sites.items()}


def state_at(moment, row):
    """What is known at a moment whose last row this is: `up`, `unknown` or the domain whose fault it is."""
    since = moment - row["t"]
    if row["restore"] is not None and since < row["restore"]:
        return row["domain"]
    if since >= row["hold"] or row["verdict"] == "unknown":
        return "unknown"
    return "up" if row["verdict"] == "up" else row["domain"]


def times_of(rows, start, end):
    points = {start, end}
    for row in rows:
        points.update((row["t"], row["t"] + row["hold"], row["t"] + (row["restore"] or 0)))
    points = sorted(point for point in points if start <= point <= end)
    lasting, last = {}, -1
    for begin, until in zip(points, points[1:]):
        while last + 1 < len(rows) and rows[last + 1]["t"] <= begin:
            last += 1
        state = state_at(begin, rows[last]) if last >= 0 else "unknown"
        lasting[state] = lasting.get(state, 0) + until - begin
    return lasting


def outages_of(rows, start, end):
    outages, began = [], None
    for n, row in enumerate(rows):
        following = rows[n + 1]["t"] if n + 1 < len(rows) else end
        until = min(following, end)
        if row["t"] >= end or (row["t"] < start and (until <= start or state_at(start, row) == "unknown")):
            continue
        back = None if row["restore"] is None else min(row["t"] + row["restore"], until)
        if (row["verdict"] == "down" or (back is not None and back > max(start, row["t"]))) and began is None:
            began = max(row["t"], start)
        if row["verdict"] == "up" and began is not None:
            ended = max(row["t"], start) if back is None else back
            outages.append([began, ended, ended == end])
            began = None
    return outages + ([[began, end, True]] if began is not None else [])


def quantiles_of(rows, name):
    values = sorted(row[name] for row in rows if row[name] is not None)
    rank = lambda percent: values[-(-percent * len(values) // 100) - 1] if values else None
    return {"n": len(values), "p50": rank(50), "p95": rank(95), "p99": rank(99), "max": values[-1] if values else None}


def site_of(rows, start, end):
    lasting = times_of(rows, start, end)
    within = [row for row in rows if start <= row["t"] < end]
    domains = {state: ms for state, ms in lasting.items() if state not in ("up", "unknown")}
    return {
        "cycles": {word: sum(row["verdict"] == word for row in within) for word in ("up", "down", "unknown")},
        "up_ms": lasting.get("up", 0), "down_ms": sum(domains.values()), "unknown_ms": lasting.get("unknown", 0),
        "fault_domains": domains, "outages": outages_of(rows, start, end),
        **{name: quantiles_of(within, name) for name in MEASURED},
    }


def main():
    start, end = int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps({"sites": {site: site_of(rows, start, end) for site, rows in rows_of(sys.argv[1]).items()}}))


if __name__ == "__main__":
    main()

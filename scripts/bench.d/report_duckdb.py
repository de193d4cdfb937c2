"""The figures of an SLA report by SQL: what `scripts/bench report` compares `vpnprobe report` with.

    report_duckdb.py DIRECTORY START_MS END_MS [PLAN]

Reads every `*.csv` in DIRECTORY; the period is [START_MS, END_MS), milliseconds since 1970 UTC. Prints one JSON object:
`seconds` (from the first statement to the last row fetched: neither Python's start nor the import), `cpu_seconds` of
all its threads in them, `resident_kb` (VmHWM), `version`, `plan` and `sites`. Times are whole milliseconds, round trips
and logins whole microseconds.

The rules, as docs/sla.md has them, where all time is agreed:

- A state holds from its row until the next row of the site, two of the row's intervals at most; the rest is unknown.
- The row before the period counts from the period's start on, where it still holds then.
- A restored row (up, at least one restart, with the time that it took) is down for that time, be it longer than two
  intervals, but at most until the next row; then up.
- An outage begins with the first row that is down after one that is up, or after the period's start, and ends with the
  next that is up; a restored row ends it when it was restored, and is an outage of its own when none is open.
- Quantiles are nearest rank.

PLAN says what is kept between the statements, `direct` being the fastest on the year that the bench writes: `direct`
reads the files into a table that has each row's end already; `table` into one of the bare rows, and makes that table of
it; `scans` leaves the measured values out of it and reads the files once more for their quantiles (least memory). Tried
and slower: no table at all, texts in place of the enumerations, times read as texts; decimals cost what doubles do.
Needs the package duckdb.
"""

import glob
import json
import os
import sys
import time

import duckdb

# In the order of the files, all of them: the reader skips what no statement asks for. As narrow as what they hold;
# decimals of three places are exact.
VERDICT = "ENUM(''up'', ''down'', ''unknown'')"
DOMAIN = "ENUM(''carrier'', ''gateway'', ''identity'', ''tunnel'', ''inside'', ''own'')"
COLUMNS = {
    "time": "TIMESTAMP", "site": "VARCHAR", "kind": "VARCHAR", "verdict": VERDICT, "failed_stage": "VARCHAR",
    "reason": "VARCHAR", "external_rtt_ms": "DECIMAL(15,3)", "external_loss_pct": "VARCHAR",
    "login_ms": "DECIMAL(15,3)", "internal_rtt_ms": "DECIMAL(15,3)", "internal_loss_pct": "VARCHAR",
    "restarts": "UINTEGER", "restore_ms": "DECIMAL(15,3)", "leftovers": "VARCHAR", "cycle_ms": "VARCHAR",
    "detail": "VARCHAR", "fault_domain": DOMAIN, "stages": "VARCHAR", "checks": "VARCHAR",
    "cert_days_left": "VARCHAR", "public_ip": "VARCHAR", "country": "VARCHAR", "dns_country": "VARCHAR",
    "interval_s": "DECIMAL(15,3)", "maintenance": "VARCHAR", "group": "VARCHAR", "prober": "VARCHAR",
    "cycle_id": "VARCHAR",
}

# `hold`: two intervals. `restore`: of a restored row alone, in whole milliseconds, rounded up.
STATES = """
    site, epoch_ms(time) AS t, verdict, fault_domain, CAST(2000 * interval_s AS BIGINT) AS hold,
    CASE WHEN verdict = 'up' AND restarts >= 1 THEN CAST(ceil(restore_ms) AS BIGINT) END AS restore"""
VALUES = """
    CAST(1000 * login_ms AS BIGINT) AS login, CAST(1000 * external_rtt_ms AS BIGINT) AS external,
    CAST(1000 * internal_rtt_ms AS BIGINT) AS internal"""

# Each row with `since` when and `until` when it holds, clipped to the period; of those before the period only what
# holds into it. `previous`: the verdict of the row before it.
HELD = """
    WITH held AS (
        SELECT *, least(t + greatest(hold, coalesce(restore, 0)), coalesce(lead(t) OVER w, $end), $end) AS until,
            lag(verdict) OVER w AS previous
        FROM {rows} WHERE t < $end
        WINDOW w AS (PARTITION BY site ORDER BY t)
    )
    SELECT * EXCLUDE (hold), greatest(t, $start) AS since,
        CASE WHEN verdict = 'down' THEN until
            WHEN restore IS NOT NULL THEN greatest(least(t + restore, until), $start) END AS down_until
    FROM held WHERE t >= $start OR until > $start"""

TIMES = """
    SELECT site,
        count(*) FILTER (t >= $start AND verdict = 'up'), count(*) FILTER (t >= $start AND verdict = 'down'),
        count(*) FILTER (t >= $start AND verdict = 'unknown'),
        coalesce(sum(until - coalesce(down_until, since)) FILTER (verdict = 'up'), 0),
        {domains}
    FROM held GROUP BY site ORDER BY site"""
DOMAINS = ["carrier", "gateway", "identity", "tunnel", "inside"]

# Of the rows that are up those after another that is up change nothing. `ups` counts the rest: an outage is what is
# down under one count, and ends with the row that raises it.
OUTAGES = """
    WITH decided AS (
        SELECT *, sum(CAST(verdict = 'up' AS INTEGER)) OVER w AS ups, lag(verdict) OVER w AS before
        FROM held
        WHERE verdict = 'down' OR restore IS NOT NULL OR (verdict = 'up' AND previous IS DISTINCT FROM 'up')
        WINDOW w AS (PARTITION BY site ORDER BY t ROWS UNBOUNDED PRECEDING)
    ), begun AS (
        SELECT site, ups, min(since) AS since FROM decided WHERE verdict = 'down' GROUP BY site, ups
    ), ended AS (
        SELECT site, ups - 1 AS ups, coalesce(down_until, since) AS until FROM decided WHERE verdict = 'up'
    )
    SELECT site, since, until FROM begun LEFT JOIN ended USING (site, ups)
    UNION ALL
    SELECT site, since, down_until FROM decided
    WHERE restore IS NOT NULL AND down_until > since AND before IS DISTINCT FROM 'down'
    ORDER BY site, since"""

QUANTILES = """
    SELECT site, {each} FROM {rows} WHERE t >= $start AND t < $end GROUP BY site ORDER BY site"""
MEASURED = ["login", "external", "internal"]


def files(directory):
    """The reader's table function on them."""
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    found = sorted(glob.glob(os.path.join(directory, "*.csv")))
    paths = ", ".join("'" + path.replace("'", "''") + "'" for path in found)
    return (f"read_csv([{paths}], columns = {{{columns}}}, auto_detect = false, header = true, delim = ',', "
            "quote = '\"', escape = '\"', new_line = '\\n', nullstr = '')")


def ask(connection, statement, period, **parts):
    statement = statement.format(**parts)
    return connection.execute(statement, {k: v for k, v in period.items() if f"${k}" in statement}).fetchall()


def compute(connection, directory, start, end, plan):
    source, period = files(directory), {"start": start, "end": end}
    domains = ", ".join(f"coalesce(sum(down_until - since) FILTER (fault_domain = '{name}'), 0)" for name in DOMAINS)
    each = ", ".join(f"count({name}), quantile_disc({name}, [0.5, 0.95, 0.99]), max({name})" for name in MEASURED)
    rows, values = f"(SELECT {STATES}, {VALUES} FROM {source})", "held"
    if plan == "table":
        ask(connection, "CREATE TEMP TABLE bare AS SELECT * FROM {rows}", period, rows=rows)
        rows = "bare"
    elif plan == "scans":
        rows, values = f"(SELECT {STATES} FROM {source})", f"(SELECT site, epoch_ms(time) AS t, {VALUES} FROM {source})"
    ask(connection, "CREATE TEMP TABLE held AS " + HELD, period, rows=rows)
    return (ask(connection, TIMES, period, domains=domains), ask(connection, OUTAGES, period),
            ask(connection, QUANTILES, period, rows=values, each=each))


def as_json(times, outages, quantiles, start, end):
    sites = {}
    for site, up, down, unknown, up_ms, *by_domain in times:
        down_ms = sum(by_domain)
        sites[site] = {
            "cycles": {"up": up, "down": down, "unknown": unknown}, "up_ms": up_ms, "down_ms": down_ms,
            "unknown_ms": end - start - up_ms - down_ms,
            "fault_domains": {name: ms for name, ms in zip(DOMAINS, by_domain) if ms}, "outages": [],
        }
    for site, since, until in outages:
        until = end if until is None else until
        sites[site]["outages"].append([since, until, until == end])
    for site, *figures in quantiles:
        for n, name in enumerate(MEASURED):
            count, ranks, most = figures[3 * n:3 * n + 3]
            p50, p95, p99 = ranks or (None, None, None)
            sites[site][name] = {"n": count, "p50": p50, "p95": p95, "p99": p99, "max": most}
    return sites


def resident_kb():
    with open("/proc/self/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def main():
    directory, start, end, plan = (sys.argv[1:5] + ["direct"])[:4]
    start, end = int(start), int(end)
    began, before = time.monotonic(), time.process_time()
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.execute("SET preserve_insertion_order = false")
    found = compute(connection, directory, start, end, plan)
    seconds, cpu = time.monotonic() - began, time.process_time() - before
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "resident_kb": resident_kb(), "plan": plan,
                      "version": duckdb.__version__, "sites": as_json(*found, start, end)}))


if __name__ == "__main__":
    main()

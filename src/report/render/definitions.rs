//! How the figures are defined: printed in every report that people read.

/// Term and meaning, in the order in which a reader meets them.
pub(super) const DEFINITIONS: &[(&str, &str)] = &[
    (
        "agreed time",
        "the agreed hours of the period, less holidays and less maintenance windows that are excluded; every figure is of agreed time",
    ),
    (
        "state",
        "what a cycle found holds until the site's next cycle, for two intervals at most; time that no cycle covers is unknown",
    ),
    ("availability", "up time ÷ (up time + down time); unknown time is left out"),
    ("strict", "unknown counts as down, and an outage begins with the last good cycle before it"),
    ("optimistic", "unknown counts as up"),
    ("by cycles", "cycles up ÷ (cycles up + cycles down)"),
    ("coverage", "known time ÷ agreed time"),
    (
        "outage",
        "from the first cycle that is down (or the start of the period) to the next one that is up; unknown does not end it; a tunnel that was found dead and restored was out until it carried traffic again",
    ),
    ("MTTR", "mean length of the outages that ended"),
    ("MTBF", "up time ÷ number of outages"),
    (
        "p50, p95, p99",
        "the value at the nearest rank, within 0.05 %; p95 from 20 values on, p99 from 100; max is exact",
    ),
    ("error budget", "the part of up and down time that the target lets be down"),
    ("percentages", "are cut after the fourth decimal, never rounded up"),
];

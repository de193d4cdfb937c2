//! The page from its first to its last line.

use super::label;
use super::scale::Scale;
use super::text::{Text, put};
use super::{basis, overview, site, summary, ticks};
use crate::report::model::Report;

/// The style of the page; `%TITLE%` stands at the foot of each printed one.
const STYLE: &str = include_str!("page.css");
/// Nothing but the page's own style may be loaded or run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// Patterns of the strip's states.
const PATTERNS: &str = "<pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">\
    <rect width=\"6\" height=\"6\"/><path d=\"M-1 1l2-2M0 6l6-6M5 7l2-2\"/></pattern>\
    <pattern id=\"dots\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">\
    <rect width=\"5\" height=\"5\"/><circle cx=\"2.5\" cy=\"2.5\" r=\"1\"/></pattern>";

/// The report as one HTML file.
pub fn html(report: &Report) -> String {
    let scale = Scale::new(&report.period);
    let mut out = String::new();
    head(&mut out, report);
    put!(&mut out, "<svg class=\"shared\" aria-hidden=\"true\"><defs>{PATTERNS}{}</defs></svg>", ticks::axis(&scale));
    summary::summary(&mut out, report);
    out.push_str("<main>");
    overview::overview(&mut out, report);
    site::sites(&mut out, report, &scale);
    basis::basis(&mut out, report);
    put!(&mut out, "</main><footer><p>Made by {} on ", Text(&report.program));
    put!(&mut out, "{}.</p></footer></body></html>\n", label::moment_with_offset(&report.generated));
    out
}

fn head(out: &mut String, report: &Report) {
    let title = summary::title(report);
    // Nothing but letters of the calendar: it stands between quotes of the style.
    let plain: String = title.chars().filter(|c| c.is_ascii_alphanumeric() || " ,".contains(*c)).collect();
    out.push_str("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    put!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    out.push_str("<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">");
    put!(out, "<meta name=\"generator\" content=\"{}\">", Text(&report.program));
    put!(out, "<title>{title}</title><style>{}</style></head>\n<body>", STYLE.replace("%TITLE%", &plain));
}

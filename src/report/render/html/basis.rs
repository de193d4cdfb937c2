//! The end of the page: what the figures mean, what was left out, and from which data they were computed.

use super::label::Moments;
use super::table::{Column, begin, end, number, text};
use super::text::{Text, bytes, count, counted, put};
use crate::report::model::{Excluded, Problems, Report};
use crate::report::render::definitions::DEFINITIONS;

/// Rows that are listed of those that could not be read.
const LINES: usize = 50;
/// Windows that are listed.
const WINDOWS: usize = 400;

/// What is said here beside the definitions that every format has.
const MORE: [(&str, &str); 4] = [
    ("downtime", "agreed time that is known to be down; unknown time within an outage is not in it"),
    (
        "unknown",
        "the prober could not judge (it had no network itself, its client was missing), or nothing was recorded; it is \
         neither up nor down",
    ),
    (
        "fault domain",
        "the part of the way on which the first failure lay: carrier, gateway, identity (the test account), tunnel, \
         inside; what fails in the prober itself is unknown time, and nobody's downtime",
    ),
    (
        "login time, round trip",
        "from the start of the VPN client to its word that the tunnel is up; the mean of the replies to the pings of \
         a cycle",
    ),
];

/// Definitions, excluded windows, files, unreadable rows.
pub(super) fn basis(out: &mut String, report: &Report) {
    out.push_str(
        "<section aria-labelledby=\"definitions\"><h2 id=\"definitions\">Definitions</h2><dl class=\"words\">",
    );
    for (word, meaning) in DEFINITIONS.iter().chain(&MORE) {
        put!(out, "<div><dt>{word}</dt><dd>{meaning}.</dd></div>");
    }
    out.push_str("</dl></section>");
    excluded(out, &report.excluded, Moments::of(report));
    inputs(out, report);
    problems(out, &report.problems);
}

fn excluded(out: &mut String, windows: &[Excluded], moments: Moments) {
    if windows.is_empty() {
        return;
    }
    out.push_str("<section aria-labelledby=\"excluded\"><h2 id=\"excluded\">Excluded maintenance</h2>");
    let columns = [Column::Text("Start"), Column::Text("End"), Column::Text("Window"), Column::Text("Sites")];
    let left = windows.len().saturating_sub(WINDOWS);
    let more =
        if left > 0 { format!(" {} more are in this report as JSON.", count(left as u64)) } else { String::new() };
    begin(out, "wide", &format!("Windows that are not agreed time.{more}"), &columns);
    for window in windows.iter().take(WINDOWS) {
        put!(out, "<tr><td>{}</td><td>{}</td>", moments.show(&window.start), moments.show(&window.end));
        text(out, &Text(window.name.as_deref().unwrap_or("")).to_string());
        let names: Vec<String> = window.sites.iter().map(|site| format!("<bdi>{}</bdi>", Text(site))).collect();
        text(out, &if names.is_empty() { "all".to_owned() } else { names.join(", ") });
        out.push_str("</tr>");
    }
    end(out);
    out.push_str("</section>");
}

fn inputs(out: &mut String, report: &Report) {
    out.push_str("<section aria-labelledby=\"data\"><h2 id=\"data\">Data</h2>");
    let rows: u64 = report.inputs.iter().map(|input| input.rows).sum();
    put!(
        out,
        "<p>From {} with {}. ",
        counted(report.inputs.len() as u64, "file", "files"),
        counted(rows, "row", "rows")
    );
    out.push_str(&trouble(&report.problems));
    out.push_str(
        "Whoever has the same files (<code>sha256sum</code> tells) can compute this report again: \
        <code>vpnprobe report --verify</code> with its JSON form says what differs.</p>",
    );
    if !report.inputs.is_empty() {
        let columns = [Column::Text("File"), Column::Number("Rows"), Column::Number("Size"), Column::Text("SHA-256")];
        begin(out, "files", "Input files.", &columns);
        for input in &report.inputs {
            put!(out, "<tr><th scope=\"row\">{}</th>", Text(&input.file));
            number(out, &count(input.rows));
            number(out, &bytes(input.bytes));
            put!(out, "<td><code>{}</code></td></tr>", Text(&input.sha256));
        }
        end(out);
    }
    out.push_str("</section>");
}

/// What was not as it should be with the rows, and what became of it.
fn trouble(problems: &Problems) -> String {
    let found = [
        (problems.duplicates, "stood there twice and counted once"),
        (problems.out_of_order, "were not at their place by time, and counted"),
        (problems.unreadable, "could not be read, and count nowhere"),
    ];
    let found: Vec<String> = found
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{}\u{a0}{words}", count(number)))
        .collect();
    if found.is_empty() { String::new() } else { format!("Of these rows {}. ", found.join("; ")) }
}

fn problems(out: &mut String, problems: &Problems) {
    if problems.unreadable == 0 && problems.lines.is_empty() {
        return;
    }
    out.push_str("<section aria-labelledby=\"unreadable\"><h2 id=\"unreadable\">Rows that could not be read</h2>");
    let columns = [Column::Text("File"), Column::Number("Line"), Column::Text("Why")];
    let shown = problems.lines.len().min(LINES);
    let all = problems.unreadable.max(problems.lines.len() as u64);
    let caption = match all - shown as u64 {
        0 => format!("{}. They count nowhere.", counted(all, "row", "rows")),
        more => format!("The first {shown} of {} rows; {} more. They count nowhere.", count(all), count(more)),
    };
    begin(out, "wide", &caption, &columns);
    for line in problems.lines.iter().take(LINES) {
        put!(out, "<tr><th scope=\"row\">{}</th>", Text(&line.file));
        number(out, &line.line.to_string());
        put!(out, "<td>{}</td></tr>", Text(&line.why));
    }
    end(out);
    out.push_str("</section>");
}

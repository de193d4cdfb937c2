//! A message as a page for mail programs: pure. Nothing in it comes from elsewhere, everything from outside is escaped, and
//! it follows the reader's dark or light colours.

use std::fmt;
use std::fmt::Write as _;

use super::AlertKind;
use super::severity::Part;
use crate::config::Severity;

/// One line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Words; empty: a line between two parts.
    Text(String),
    /// A name and what it is.
    Field(String, String),
    /// Of a dialogue.
    Code(String),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Code(text) => f.write_str(text),
            Self::Field(name, value) => write!(f, "{:<17}{value}", format!("{name}:")),
        }
    }
}

/// Some mail programs take a style from its element alone, others the colours of the night from here.
const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<meta name=\"color-scheme\" content=\"light dark\">
<style>
:root { color-scheme: light dark; }
body { margin: 0; padding: 16px; font: 15px/1.45 sans-serif; background: #ffffff; color: #1c1e21; }
h1 { margin: 0 0 12px; padding: 8px 12px; font-size: 18px; border-left: 6px solid #b3261e; background: #f3f4f6; }
h1.over { border-color: #1e7d32; } h1.warning { border-color: #b26a00; }
h2 { margin: 18px 0 4px; font-size: 15px; }
p { margin: 4px 0; }
table { border-collapse: collapse; margin: 8px 0; }
th { padding: 2px 14px 2px 0; text-align: left; vertical-align: top; font-weight: normal; color: #5a6068; }
td { padding: 2px 0; vertical-align: top; overflow-wrap: anywhere; }
pre { padding: 8px 12px; background: #f3f4f6; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; }
@media (prefers-color-scheme: dark) {
body { background: #16181c; color: #e4e6ea; }
h1, pre { background: #24272d; } th { color: #a0a6b0; }
}
</style>
</head>
<body>
";

/// The page.
pub(super) fn page(headline: &str, kind: &AlertKind, lines: &[Line]) -> String {
    let mut page = HEAD.to_owned();
    // Writing to a String cannot fail.
    let _ = writeln!(page, "<h1 class=\"{}\">{}</h1>", look(kind), escaped(headline));
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|line| same_kind(first, line)).count();
        let (run, after) = rest.split_at(same);
        match first {
            Line::Text(_) => write_words(&mut page, run, !after.is_empty()),
            Line::Field(..) => write_table(&mut page, run),
            Line::Code(_) => write_code(&mut page, run),
        }
        rest = after;
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn look(kind: &AlertKind) -> &'static str {
    match (kind.part(), kind.severity()) {
        (Part::End | Part::Alone, _) => "over",
        (Part::Beginning | Part::Middle, Severity::Critical) => "critical",
        (Part::Beginning | Part::Middle, Severity::Info | Severity::Warning) => "warning",
    }
}

fn same_kind(one: &Line, other: &Line) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// Words; a line alone after an empty one is the title of what follows.
fn write_words(page: &mut String, lines: &[Line], more_follows: bool) {
    let texts: Vec<&str> =
        lines.iter().filter_map(|line| if let Line::Text(t) = line { Some(t.as_str()) } else { None }).collect();
    for (index, text) in texts.iter().enumerate() {
        let follows = match texts.get(index + 1) {
            Some(next) => next.starts_with(' '),
            None => more_follows,
        };
        let is_title = follows && index > 0 && texts[index - 1].is_empty();
        let element = if is_title { "h2" } else { "p" };
        if !text.is_empty() {
            let _ = writeln!(page, "<{element}>{}</{element}>", escaped(text.trim()));
        }
    }
}

fn write_table(page: &mut String, lines: &[Line]) {
    page.push_str("<table>\n");
    for line in lines {
        if let Line::Field(name, value) = line {
            let _ = writeln!(page, "<tr><th>{}</th><td>{}</td></tr>", escaped(name.trim()), escaped(value));
        }
    }
    page.push_str("</table>\n");
}

fn write_code(page: &mut String, lines: &[Line]) {
    page.push_str("<pre>");
    for line in lines {
        let _ = writeln!(page, "{}", escaped(&line.to_string()));
    }
    page.push_str("</pre>\n");
}

/// Text as it may stand in a page.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Line> {
        let text = |text: &str| Line::Text(text.to_owned());
        let field = |name: &str, value: &str| Line::Field(name.to_owned(), value.to_owned());
        vec![
            text("paris is DOWN."),
            text(""),
            field("Detail", "<script>alert(1)</script> & \"more\""),
            text(""),
            text("What to try"),
            text("  look at the gateway"),
            text(""),
            text("Last values"),
            field("  Login", "not measured"),
            text(""),
            text("Last lines"),
            Line::Code("    0.100   Access <b>denied</b>".to_owned()),
        ]
    }

    #[test]
    fn a_page_has_the_parts_of_the_message_and_nothing_of_the_gateway_is_markup() {
        let start = chrono::DateTime::UNIX_EPOCH;
        let page = page("paris DOWN: <login>", &AlertKind::Triggered { start, downs: 2 }, &lines());
        for part in [
            "<h1 class=\"critical\">paris DOWN: &lt;login&gt;</h1>",
            "<p>paris is DOWN.</p>",
            "<tr><th>Detail</th><td>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;</td></tr>",
            "<h2>What to try</h2>\n<p>look at the gateway</p>",
            "<h2>Last values</h2>\n<table>\n<tr><th>Login</th><td>not measured</td></tr>",
            "<h2>Last lines</h2>\n<pre>    0.100   Access &lt;b&gt;denied&lt;/b&gt;\n</pre>",
            "prefers-color-scheme: dark",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        for remote in ["http", "src=", "url(", "<script"] {
            assert!(!page.contains(remote), "{remote}");
        }
    }

    #[test]
    fn what_is_over_does_not_look_like_an_alarm() {
        let start = chrono::DateTime::UNIX_EPOCH;
        let over = AlertKind::BlindOver { since: start, verdict: crate::record::Verdict::Up };
        assert!(page("x", &over, &[]).contains("<h1 class=\"over\">"));
        assert!(page("x", &AlertKind::Blind { since: start }, &[]).contains("<h1 class=\"warning\">"));
    }
}

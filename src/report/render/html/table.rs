//! The parts of a table: a caption, headings with their scope, and a frame in which it scrolls by itself.

use super::text::put;

/// A column's heading.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    /// Of texts.
    Text(&'static str),
    /// Of numbers: they stand at the right.
    Number(&'static str),
}

/// Begins a table; [`end`] ends it. The caption is markup.
pub(super) fn begin(out: &mut String, class: &str, caption: &str, columns: &[Column]) {
    open(out, class, caption);
    out.push_str("<thead><tr>");
    for column in columns {
        heading(out, *column);
    }
    out.push_str("</tr></thead><tbody>");
}

/// Begins a table whose head follows.
pub(super) fn open(out: &mut String, class: &str, caption: &str) {
    put!(out, "<div class=\"scroll\"><table class=\"{class}\"><caption><span>{caption}</span></caption>");
}

/// One heading.
pub(super) fn heading(out: &mut String, column: Column) {
    match column {
        Column::Text(name) => put!(out, "<th scope=\"col\">{name}</th>"),
        Column::Number(name) => put!(out, "<th scope=\"col\" class=\"n\">{name}</th>"),
    }
}

/// A cell of text; the text is markup.
pub(super) fn text(out: &mut String, cell: &str) {
    put!(out, "<td>{cell}</td>");
}

/// A cell with words that need room.
pub(super) fn prose(out: &mut String, cell: &str) {
    put!(out, "<td class=\"prose\">{cell}</td>");
}

/// A cell with a number.
pub(super) fn number(out: &mut String, cell: &str) {
    put!(out, "<td class=\"n\">{cell}</td>");
}

/// Ends a table.
pub(super) fn end(out: &mut String) {
    out.push_str("</tbody></table></div>");
}

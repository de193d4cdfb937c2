//! Every fault that a receiver may have, for every kind of channel: the table of `docs/alerts.md` is written by these tests.

mod commands;
mod in_time;
mod mails;
mod place;
mod web;

use std::fmt::Write as _;
use std::path::Path;

use vpnprobe::alert::SendError;

use self::place::KINDS;

/// One row: the fault, and what becomes of a message to each kind of channel.
struct Row {
    fault: String,
    cells: Vec<String>,
}

/// What makes no sense.
const NONE: &str = "—";

/// What becomes of a message that was tried once.
fn cell(result: &Result<(), SendError>) -> &'static str {
    match result {
        Ok(()) => "delivered",
        Err(error) if error.retry_after.is_some() => "again, when it says",
        Err(error) if error.permanent => "again every 5 min",
        Err(_) => "again",
    }
}

fn table(rows: &[Row]) -> String {
    let mut table = format!("| the receiver … | {} |\n|{}\n", KINDS.join(" | "), "---|".repeat(KINDS.len() + 1));
    for Row { fault, cells } in rows {
        assert_eq!(cells.len(), KINDS.len(), "{fault}");
        let _ = writeln!(table, "| {fault} | {} |", cells.join(" | "));
    }
    table
}

/// What a message meets at one moment: web servers, then mail, then a command.
async fn at_one_moment() -> Vec<Row> {
    let mut rows = web::rows().await;
    for Row { fault, cells } in &mut rows {
        cells.push(mails::cell(fault).await);
        cells.push(commands::cell(fault).await);
    }
    rows
}

#[tokio::test]
async fn every_fault_of_a_receiver_ends_as_the_table_in_the_documents_says() {
    let mut rows = at_one_moment().await;
    rows.extend(Box::pin(in_time::rows()).await);
    let table = table(&rows);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/alerts.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- faults -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of faults -->").unwrap();
    let expected = format!("{before}<!-- faults -->\n{table}<!-- end of faults -->{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected, "UPDATE_DOCS=1 writes it");
}

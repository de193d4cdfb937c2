//! `docs/faults.md`: a line for each row, as it was seen.
//!
//! Every test compares its own line, so that a difference is red whatever else runs. With `UPDATE_DOCS=1` it writes its
//! line instead; lines of rows that did not run stay, and those of rows that are no more go.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::observed::Observed;
use super::{ALL, Case};

const HEAD: &str = "\
# Faults of a client, and what comes of them

Made by the end-to-end tests, one line a test (`tests/e2e/matrix`): the stand-in for Connect Tunnel of the
[lab](lab.md) plays the fault, with a real openconnect and a real gateway beneath. A line that is no longer true makes
its test fail; `sudo UPDATE_DOCS=1 ./scripts/test e2e` writes them anew.

- **Ends**: verdict, deciding stage, reason and fault domain of the row in the CSV. There is one row each time.
- **Takes**: which of its limits the cycle used up, beside a few moments: the site's `timeout`, the profile's grace to
  leave, the 5 s from TERM to KILL, the 5 s that a route of the tunnel may take to come.
- **Left**: what the client left and the prober put right. Each time the host was afterwards as before: processes,
  interfaces, addresses, routes, policy rules, resolv.conf. So the column `leftovers` was empty each time.
- **Passwords**: how many the gateway was sent.

";
const COLUMNS: &str = "| fault | when | ends | takes | left | passwords | test |\n|---|---|---|---|---|---:|---|\n";

/// All rows, in the order of the document.
pub(super) fn cases() -> impl Iterator<Item = Case> {
    ALL.iter().flat_map(|part| part.iter().copied())
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md")
}

fn is_updated() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some_and(|value| value != "0")
}

fn line(case: &Case, observed: &Observed) -> String {
    let cell = |column| observed.row.cell(column);
    let ends = match cell("verdict") {
        "up" => "**up**".to_owned(),
        verdict => {
            format!("**{verdict}** `{}` `{}` ({})", cell("failed_stage"), cell("reason"), cell("fault_domain"))
        }
    };
    let Observed { spent, left, passwords, .. } = observed;
    format!("| {} | {} | {ends} | {spent} | {left} | {passwords} | `{}` |\n", case.fault, case.at, case.name)
}

/// The lines of the document, by the names of their tests.
fn lines() -> BTreeMap<String, String> {
    let text = fs::read_to_string(path()).unwrap_or_default();
    let rows = text.lines().filter_map(|line| Some((line.strip_suffix("` |")?.rsplit_once("| `")?.1, line)));
    rows.map(|(name, line)| (name.to_owned(), format!("{line}\n"))).collect()
}

fn text(lines: &BTreeMap<String, String>) -> String {
    let rows: String = cases().filter_map(|case| lines.get(case.name).cloned()).collect();
    [HEAD, COLUMNS, &rows].concat()
}

/// Writes what was seen, if that is wanted. The lab lets one test run at a time.
pub(super) fn note(case: &Case, observed: &Observed) {
    if is_updated() {
        let mut lines = lines();
        lines.insert(case.name.to_owned(), line(case, observed));
        fs::write(path(), text(&lines)).unwrap();
    }
}

/// Asserts that the document says what was seen.
pub(super) fn is_as_noted(case: &Case, observed: &Observed) {
    let said = lines().remove(case.name);
    assert_eq!(said, Some(line(case, observed)), "docs/faults.md is out of date: UPDATE_DOCS=1 scripts/test e2e");
}

#[test]
fn the_document_has_every_row_once_and_nothing_else() {
    if is_updated() {
        return;
    }
    let lines = lines();
    let missing: Vec<_> = cases().map(|case| case.name).filter(|name| !lines.contains_key(*name)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "docs/faults.md lacks rows: UPDATE_DOCS=1 scripts/test e2e");
    assert_eq!(fs::read_to_string(path()).unwrap(), text(&lines), "docs/faults.md is out of date");
}

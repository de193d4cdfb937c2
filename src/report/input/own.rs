//! The cells of one of this program's rows as a [`Row`]. Pure.

use super::cells::Cells;
use super::number::{thousandths, whole};
use super::schema::{Form, own as column};
use super::time::Times;
use crate::record::{Reason, Verdict, is_unseen};
use crate::report::row::Row;

/// Characters of a cell that are shown where it can't be read.
const SHOWN: usize = 40;

/// The row; `Err`: which cell can't be read.
pub(super) fn row<'a>(
    text: &'a str,
    cells: &Cells,
    places: &[usize; 19],
    times: &mut Times,
) -> Result<Row<'a>, String> {
    let cell = |column: usize| cells.of(text, places[column]);
    let number = |column, largest| optional_number(column, cell(column), largest);
    let time = times.read(cell(column::TIME)).ok_or_else(|| fault(column::TIME, cell(column::TIME)))?;
    let verdict = match cell(column::VERDICT).as_bytes() {
        // Nearly always.
        [b'u', b'p'] => Some(Verdict::Up),
        _ => Verdict::from_name(cell(column::VERDICT)),
    };
    let site = as_meant(cell(column::SITE));
    if site.is_empty() {
        return Err(fault(column::SITE, ""));
    }
    if cells.odd {
        seen(&cell)?;
    }
    Ok(Row {
        time,
        site,
        kind: cell(column::KIND),
        verdict: verdict.ok_or_else(|| fault(column::VERDICT, cell(column::VERDICT)))?,
        failed_stage: cell(column::FAILED_STAGE),
        reason: cell(column::REASON),
        fault_domain: fault_domain(cell(column::FAULT_DOMAIN), cell(column::REASON)),
        external_rtt_us: number(column::EXTERNAL_RTT, u64::MAX)?,
        external_loss: number(column::EXTERNAL_LOSS, 100_000)?,
        login_us: number(column::LOGIN, u64::MAX)?,
        internal_rtt_us: number(column::INTERNAL_RTT, u64::MAX)?,
        internal_loss: number(column::INTERNAL_LOSS, 100_000)?,
        restarts: count(column::RESTARTS, cell(column::RESTARTS))?,
        restore_ms: number(column::RESTORE, u64::MAX)?.map(|us| us.div_ceil(1000).cast_signed()),
        interval_ms: interval(cell(column::INTERVAL))?,
        maintenance: as_meant(cell(column::MAINTENANCE)),
        group: as_meant(cell(column::GROUP)),
        prober: as_meant(cell(column::PROBER)),
        cycle_id: cell(column::CYCLE_ID),
    })
}

/// Texts go to terminals and pages: none may hold what can't be seen there.
fn seen<'a>(cell: &impl Fn(usize) -> &'a str) -> Result<(), String> {
    match TEXTS.into_iter().find(|column| cell(*column).chars().any(is_unseen)) {
        Some(column) => Err(fault(column, cell(column))),
        None => Ok(()),
    }
}

const TEXTS: [usize; 9] = [
    column::SITE,
    column::KIND,
    column::FAILED_STAGE,
    column::REASON,
    column::FAULT_DOMAIN,
    column::MAINTENANCE,
    column::GROUP,
    column::PROBER,
    column::CYCLE_ID,
];

fn optional_number(column: usize, cell: &str, largest: u64) -> Result<Option<u64>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    match thousandths(cell.as_bytes()) {
        Some(value) if value <= largest => Ok(Some(value)),
        _ => Err(fault(column, cell)),
    }
}

fn count(column: usize, cell: &str) -> Result<Option<u32>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    whole(cell.as_bytes()).map(Some).ok_or_else(|| fault(column, cell))
}

/// No state holds for no time: an interval of 0 is none.
fn interval(cell: &str) -> Result<Option<i64>, String> {
    match optional_number(column::INTERVAL, cell, u64::MAX)? {
        Some(0) => Err(fault(column::INTERVAL, cell)),
        interval => Ok(interval.map(u64::cast_signed)),
    }
}

/// Schemas before `fault_domain` say it by the reason.
fn fault_domain<'a>(cell: &'a str, reason: &str) -> &'a str {
    if cell.is_empty() && !reason.is_empty() {
        return Reason::from_name(reason).map_or("", |reason| reason.fault_domain().as_str());
    }
    cell
}

/// Without the apostrophe that keeps a spreadsheet from taking a text for a formula.
fn as_meant(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(meant) if meant.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) => meant,
        _ => cell,
    }
}

fn fault(column: usize, cell: &str) -> String {
    unreadable_cell(Form::Own.names()[column], cell)
}

/// Says which cell can't be read.
#[cold]
pub(super) fn unreadable_cell(name: &str, cell: &str) -> String {
    if cell.is_empty() { format!("`{name}` is empty") } else { format!("`{name}` can't be `{}`", shown(cell)) }
}

/// The begin of a text, with marks for what can't be seen.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().take(SHOWN).map(|c| if is_unseen(c) { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

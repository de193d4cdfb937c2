//! Which column of a file is which: by name, so that every schema that was released can be read. Pure.

use super::cells::{Cells, MOST};

/// What a file's columns are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schema {
    /// Whose rows they are.
    pub(super) form: Form,
    /// Columns, also those that are not needed.
    pub(super) columns: usize,
    /// In which cell each of [`Form::names`] is; 0: the file has no such column.
    pub(super) cells: [usize; 19],
}

/// Which program wrote such rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// This program.
    Own,
    /// `EpMonitoring`.
    EpMonitoring,
}

/// The columns that the report needs, as [`Schema::cells`] has them.
pub(super) mod own {
    pub(in super::super) const TIME: usize = 0;
    pub(in super::super) const SITE: usize = 1;
    pub(in super::super) const VERDICT: usize = 2;
    pub(in super::super) const KIND: usize = 3;
    pub(in super::super) const FAILED_STAGE: usize = 4;
    pub(in super::super) const REASON: usize = 5;
    pub(in super::super) const FAULT_DOMAIN: usize = 6;
    pub(in super::super) const EXTERNAL_RTT: usize = 7;
    pub(in super::super) const EXTERNAL_LOSS: usize = 8;
    pub(in super::super) const LOGIN: usize = 9;
    pub(in super::super) const INTERNAL_RTT: usize = 10;
    pub(in super::super) const INTERNAL_LOSS: usize = 11;
    pub(in super::super) const RESTARTS: usize = 12;
    pub(in super::super) const RESTORE: usize = 13;
    pub(in super::super) const INTERVAL: usize = 14;
    pub(in super::super) const MAINTENANCE: usize = 15;
    pub(in super::super) const GROUP: usize = 16;
    pub(in super::super) const PROBER: usize = 17;
    pub(in super::super) const CYCLE_ID: usize = 18;
}

/// Those that a row can't be read without come first.
const OWN: [&str; 19] = [
    "time",
    "site",
    "verdict",
    "kind",
    "failed_stage",
    "reason",
    "fault_domain",
    "external_rtt_ms",
    "external_loss_pct",
    "login_ms",
    "internal_rtt_ms",
    "internal_loss_pct",
    "restarts",
    "restore_ms",
    "interval_s",
    "maintenance",
    "group",
    "prober",
    "cycle_id",
];
const OWN_NEEDED: usize = 3;

const EP_MONITORING: [&str; 6] = ["Time", "CPE Name", "Summary", "Stage 1 in ms", "Stage 2 in ms", "Stage 3 in ms"];

impl Form {
    /// The columns that are read, those first without which a file is refused.
    pub(super) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Own => &OWN,
            Self::EpMonitoring => &EP_MONITORING,
        }
    }

    const fn needed(self) -> &'static [&'static str] {
        match self {
            Self::Own => OWN.split_at(OWN_NEEDED).0,
            Self::EpMonitoring => &EP_MONITORING,
        }
    }
}

impl Schema {
    /// The schema of a header; `Err`: why it is none.
    pub(super) fn of(text: &str, cells: &Cells) -> Result<Self, String> {
        if cells.count() > MOST {
            return Err(format!("its header has {} columns, which are more than {MOST}", cells.count()));
        }
        let header: Vec<_> = (1..=cells.count()).map(|cell| cells.of(text, cell)).collect();
        let form = if header.contains(&EP_MONITORING[1]) { Form::EpMonitoring } else { Form::Own };
        let lacking: Vec<_> =
            form.needed().iter().filter(|name| !header.contains(name)).map(|name| format!("`{name}`")).collect();
        if !lacking.is_empty() {
            return Err(format!("its header lacks {}", lacking.join(", ")));
        }
        let mut schema = Self { form, columns: header.len(), cells: [0; 19] };
        for (place, name) in schema.cells.iter_mut().zip(form.names()) {
            let mut with_name = header.iter().enumerate().filter(|(_, cell)| *cell == name);
            *place = with_name.next().map_or(0, |(at, _)| at + 1);
            if with_name.next().is_some() {
                return Err(format!("its header has `{name}` twice"));
            }
        }
        Ok(schema)
    }

    /// Whether a record looks like a header: its first cells are names of columns, not values.
    pub(super) fn is_header(text: &str, cells: &Cells) -> bool {
        let has = |name| (1..=cells.count().min(MOST)).any(|cell| cells.of(text, cell) == name);
        (has(OWN[0]) && has(OWN[1])) || (has(EP_MONITORING[0]) && has(EP_MONITORING[1]))
    }

    /// Whether the last column is the cycle's id, by which a row that lacks its line feed is known to be whole.
    pub(super) const fn ends_with_id(&self) -> bool {
        matches!(self.form, Form::Own) && self.cells[own::CYCLE_ID] == self.columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(header: &str) -> Result<Schema, String> {
        let mut cells = Cells::new();
        cells.split(header.as_bytes());
        Schema::of(header, &cells)
    }

    #[test]
    fn columns_are_found_by_name_wherever_they_stand() {
        let schema = schema("verdict,more,site,time,cycle_id").unwrap();
        assert_eq!((schema.form, schema.columns), (Form::Own, 5));
        let at = |column: usize| schema.cells[column];
        assert_eq!([at(own::TIME), at(own::SITE), at(own::VERDICT), at(own::GROUP)], [4, 3, 1, 0]);
        assert!(schema.ends_with_id());
    }

    #[test]
    fn every_name_stands_at_its_number() {
        for (column, name) in [
            (own::TIME, "time"),
            (own::VERDICT, "verdict"),
            (own::REASON, "reason"),
            (own::LOGIN, "login_ms"),
            (own::RESTORE, "restore_ms"),
            (own::INTERVAL, "interval_s"),
            (own::CYCLE_ID, "cycle_id"),
        ] {
            assert_eq!(OWN[column], name);
        }
    }

    #[test]
    fn a_header_without_what_every_row_needs_is_refused() {
        let refused = |header: &str| schema(header).unwrap_err();
        assert_eq!(refused("a,b"), "its header lacks `time`, `site`, `verdict`");
        assert_eq!(refused("time,site,Verdict"), "its header lacks `verdict`");
        assert_eq!(refused("time,site,verdict,site"), "its header has `site` twice");
        assert_eq!(
            refused("Time,CPE Name,Summary"),
            "its header lacks `Stage 1 in ms`, `Stage 2 in ms`, `Stage 3 in ms`"
        );
        assert_eq!(refused(&",".repeat(MOST)), "its header has 129 columns, which are more than 128");
    }
}

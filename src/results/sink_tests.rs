//! Rows that can't be written for a while.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::super::row::tests::record;
use super::*;
use crate::record::CycleId;

/// Results whose directory can be taken away and given back.
struct Place {
    dir: tempfile::TempDir,
    now: Instant,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), now: Instant::now() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn open(&self) -> Results {
        let files = DayFiles::open(&self.path("results"), "results").unwrap();
        Results::new(files, Unwritten::new(&self.path("state")))
    }

    fn write(&self, results: &mut Results, n: u32) -> bool {
        let record = CycleRecord { id: CycleId::from_text(format!("20261120T061530.123Z-{n:08x}")), ..record() };
        results.write(&record, self.now, time())
    }

    /// A file stands where the directory should be.
    fn break_off(&self, name: &str) {
        let _ = fs::rename(self.path(name), self.path("away").with_extension(name));
        fs::write(self.path(name), "").unwrap();
    }

    fn give_back(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
        let _ = fs::rename(self.path("away").with_extension(name), self.path(name));
    }

    /// The last digit of the ids in the day file.
    fn written(&self) -> String {
        ids_in(&self.path("results/results_2026-11-20.csv"))
    }

    fn put_away(&self) -> String {
        ids_in(&self.path("state/unwritten-rows.csv"))
    }
}

fn ids_in(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().skip(1).map(|line| &line[line.len() - 1..]).collect()
}

fn time() -> DateTime<Utc> {
    "2026-11-20T06:16:00Z".parse().unwrap()
}

#[test]
fn rows_that_could_not_be_written_come_later_and_in_order() {
    let place = Place::new();
    let mut results = place.open();
    assert!(place.write(&mut results, 1));
    place.break_off("results");
    assert!(!place.write(&mut results, 2));
    assert!(!place.write(&mut results, 3));
    assert_eq!((results.kept(), place.put_away().as_str()), (2, "23"), "a crash now would not lose them");
    place.give_back("results");
    assert!(place.write(&mut results, 4));
    assert_eq!((place.written().as_str(), place.put_away().as_str()), ("1234", ""));
    assert!(!place.path("state/unwritten-rows.csv").exists());
    assert_eq!(results.unsaved(place.now, time()), []);
}

#[test]
fn what_a_program_could_not_write_the_next_one_does_and_never_twice() {
    let place = Place::new();
    let mut results = place.open();
    assert!(place.write(&mut results, 1));
    place.break_off("results");
    assert!(!place.write(&mut results, 2));
    assert_eq!(results.unsaved(place.now, time()), [], "it is in the state directory");
    place.give_back("results");
    let put_away = fs::read(place.path("state/unwritten-rows.csv")).unwrap();
    let mut next = place.open();
    assert!(place.write(&mut next, 3));
    // As if it had been killed before the file was removed.
    fs::write(place.path("state/unwritten-rows.csv"), put_away).unwrap();
    assert!(place.write(&mut place.open(), 4));
    assert_eq!(place.written(), "1234");
}

#[test]
fn where_nothing_can_be_written_the_rows_are_handed_on() {
    let place = Place::new();
    let mut results = place.open();
    place.break_off("results");
    place.break_off("state");
    assert!(!place.write(&mut results, 1));
    assert!(!place.write(&mut results, 2));
    let unsaved = results.unsaved(place.now, time());
    assert_eq!(unsaved.len(), 2);
    place.give_back("results");
    let mut next = place.open();
    next.keep(unsaved);
    assert!(place.write(&mut next, 3));
    assert_eq!(place.written(), "123");
}

#[test]
fn the_oldest_are_lost_when_too_many_wait_and_the_others_are_not() {
    let place = Place::new();
    let mut results = place.open();
    results.most = 3;
    place.break_off("results");
    place.break_off("state");
    for n in 1..=5 {
        assert!(!place.write(&mut results, n));
    }
    assert_eq!((results.kept(), results.lost), (3, 2));
    place.give_back("results");
    assert!(place.write(&mut results, 6));
    assert_eq!(place.written(), "3456");
}

#[test]
fn it_is_said_at_first_then_less_and_less_and_once_when_it_is_over() {
    let mut place = Place::new();
    let mut results = place.open();
    place.break_off("results");
    Ear::listen();
    for n in 0..60 {
        assert!(!place.write(&mut results, n));
        place.now += Duration::from_mins(1);
    }
    place.give_back("results");
    assert!(place.write(&mut results, 61) && place.write(&mut results, 62));
    let said = Ear::heard();
    assert_eq!(said.matches("cannot write rows").count(), 6, "{said}");
    assert_eq!(said.matches("rows can be written again").count(), 1, "{said}");
}

/// Keeps what the listening thread says of errors and warnings.
///
/// It listens to all threads and is there for good: whether anybody wants to hear what a place in the code says is found
/// out once, by whichever thread comes there first, and that may be another test's.
#[derive(Debug)]
struct Ear;

thread_local! {
    static HEARD: std::cell::RefCell<Option<Vec<String>>> = const { std::cell::RefCell::new(None) };
}

impl Ear {
    fn listen() {
        static THERE: std::sync::Once = std::sync::Once::new();
        THERE.call_once(|| tracing::subscriber::set_global_default(Self).unwrap());
        HEARD.set(Some(Vec::new()));
    }

    fn heard() -> String {
        HEARD.take().unwrap_or_default().join("\n")
    }
}

impl tracing::Subscriber for Ear {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Message(String);
        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        HEARD.with_borrow_mut(|heard| heard.iter_mut().for_each(|heard| heard.push(message.0.clone())));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

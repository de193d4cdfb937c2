//! The documents say what is so: the README's commands are run, its configurations loaded, its tables compared with the
//! code, and every file that a document names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use vpnprobe::config::{Environment, load_str};
use vpnprobe::record::{FailureKind, LeftoverKind, MalfunctionKind};
use vpnprobe::results::COLUMNS;

use crate::house::{House, alone};

/// Stands in a block for any number of lines.
const ANY_LINES: &str = "…";

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn text_of(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// A fenced block: what stands behind the fence, and its text.
pub(crate) struct Block {
    pub(crate) info: String,
    pub(crate) text: String,
}

impl Block {
    /// The file that the README calls it; the first without a name is the configuration.
    pub(crate) fn file_name(&self) -> &str {
        self.info.split_once(' ').map_or("config.yml", |(_, name)| name)
    }
}

pub(crate) fn blocks_of(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
            blocks.push(Block { info: info.to_owned(), text: text.join("\n") + "\n" });
        }
    }
    blocks
}

/// The cells of the table that has this heading in its first cell.
pub(crate) fn table_of(document: &str, heading: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|c| c.trim().to_owned()).collect::<Vec<_>>();
    let mut lines = document.lines().skip_while(|l| !l.starts_with(&format!("| {heading} |")));
    assert!(lines.next().is_some(), "no table `{heading}`");
    lines.skip(1).take_while(|l| l.starts_with('|')).map(cells).collect()
}

/// What stands in backticks.
pub(crate) fn code_in(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Commands and what they print, from a block as a terminal shows it.
pub(crate) fn dialogue_of(block: &str) -> Vec<(&str, Vec<&str>)> {
    let mut dialogue: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), dialogue.last_mut()) {
            (Some(command), _) => dialogue.push((command, Vec::new())),
            (None, Some((_, answer))) => answer.push(line),
            (None, None) => panic!("`{line}` stands before any command"),
        }
    }
    dialogue
}

/// Lines without their figures and their spacing: times differ from run to run.
pub(crate) fn shapes<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let figure = Regex::new(r"\d+(\.\d+)?( ms\b| s\b)?").unwrap();
    let shape = |line: &str| figure.replace_all(line, "#").split_whitespace().collect::<Vec<_>>().join(" ");
    lines.into_iter().map(shape).collect()
}

/// Whether `lines` are `expected`, in which [`ANY_LINES`] stands for any.
pub(crate) fn matches(expected: &[String], lines: &[String]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == ANY_LINES => (0..=lines.len()).any(|from| matches(rest, &lines[from..])),
        Some((first, rest)) => lines.first() == Some(first) && matches(rest, &lines[1..]),
    }
}

#[tokio::test]
async fn the_commands_of_the_readme_print_what_it_says() {
    let blocks = blocks_of(&text_of("README.md"));
    let house = House::empty();
    for block in blocks.iter().filter(|b| b.info.starts_with("yaml")) {
        house.write(block.file_name(), &block.text);
    }
    let _alone = alone().await;
    let mut run = 0;
    for block in blocks.iter().filter(|b| b.info == "console") {
        for (command, answer) in dialogue_of(&block.text) {
            let arguments = command.strip_prefix("vpnprobe ").expect("the README shows vpnprobe").split(' ');
            let said = house.run(&arguments.collect::<Vec<_>>()).await;
            // As on a terminal, less what is logged (that the host is busy, that another prober is waited for).
            let printed = said.stdout + &said.stderr;
            let printed: Vec<&str> = printed.lines().filter(|line| !line.contains("  WARN ")).collect();
            let same = if answer.contains(&ANY_LINES) {
                matches(&shapes(answer.iter().copied()), &shapes(printed.iter().copied()))
            } else {
                answer == printed
            };
            assert!(same, "$ {command}\n{}", printed.join("\n"));
            run += 1;
        }
    }
    assert!(run >= 4, "the README shows {run} commands only");
}

#[test]
fn the_configurations_of_the_documents_are_what_they_are_said_to_be() {
    for document in documents() {
        for block in blocks_of(&fs::read_to_string(&document).unwrap()) {
            if block.info.starts_with("yaml") {
                let loaded = load_str(&block.text, Path::new("."), block.file_name(), &Environment::default());
                let faulty = block.file_name().starts_with("faulty");
                assert_eq!(loaded.is_err(), faulty, "{}: {}\n{loaded:?}", document.display(), block.text);
            }
        }
    }
}

#[test]
fn every_reason_stands_once_in_the_table_of_what_to_do() {
    let table = table_of(&text_of("docs/reasons.md"), "reason");
    let listed: Vec<String> = table.iter().flat_map(|row| code_in(&row[0])).collect();
    let failures = FailureKind::ALL.iter().map(|k| k.as_str());
    let malfunctions = MalfunctionKind::ALL.iter().map(|k| k.as_str());
    let known: Vec<&str> = failures.chain(malfunctions).chain(LeftoverKind::ALL.iter().map(|k| k.as_str())).collect();
    assert_eq!(listed, known);
    for row in table {
        assert!(row.len() == 3 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}

#[test]
fn every_column_of_the_rows_is_described() {
    let readme = table_of(&text_of("README.md"), "columns");
    let listed: BTreeSet<String> = readme.iter().flat_map(|row| code_in(&row[0])).collect();
    assert_eq!(listed, COLUMNS.iter().map(ToString::to_string).collect());

    let document = text_of("docs/csv.md");
    let described: Vec<String> = table_of(&document, "column").iter().flat_map(|row| code_in(&row[0])).collect();
    assert_eq!(described, COLUMNS);
    let example = blocks_of(&document).into_iter().find(|b| b.info == "csv").expect("an example");
    let mut reader = csv::Reader::from_reader(example.text.as_bytes());
    assert_eq!(reader.headers().unwrap(), COLUMNS.as_slice());
    assert!(reader.records().map(Result::unwrap).count() > 0);
}

#[tokio::test]
async fn every_command_and_option_of_the_readme_is_there() {
    let house = House::empty();
    for row in table_of(&text_of("README.md"), "command") {
        let code = code_in(&row[0]);
        let (command, options) = code.split_first().expect("a command");
        let names = command.split(' ').take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
        let help = house.run(&names.chain(["--help"]).collect::<Vec<_>>()).await;
        assert_eq!(help.status, Some(0), "{command}");
        for option in options {
            assert!(help.stdout.contains(option.as_str()), "{command} {option}");
        }
    }
}

/// Every document of the repository.
fn documents() -> Vec<PathBuf> {
    let in_dir = |dir: &str| fs::read_dir(root().join(dir)).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    let all = [".", "docs", "docs/decisions"].into_iter().flat_map(in_dir);
    all.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect()
}

#[test]
fn every_file_that_a_document_names_is_there() {
    let link = Regex::new(r"\]\(([^)#:]+)\)").unwrap();
    let named = Regex::new(r"\b(?:scripts|src|docs|tests|fixtures)/[A-Za-z0-9_./-]*[A-Za-z0-9]").unwrap();
    let mut count = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let beside = document.parent().unwrap();
        let linked = link.captures_iter(&text).map(|found| beside.join(&found[1]));
        let mentioned = named.find_iter(&text).map(|found| root().join(found.as_str()));
        for path in linked.chain(mentioned) {
            let numbered = || numbered_decision(&path);
            assert!(path.exists() || numbered(), "{} names {}", document.display(), path.display());
            count += 1;
        }
    }
    assert!(count > 50, "{count} files only");
}

/// Decisions are also named by their number alone.
fn numbered_decision(path: &Path) -> bool {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str())) else { return false };
    let starts = |entry: fs::DirEntry| entry.file_name().to_str().is_some_and(|n| n.starts_with(&format!("{name}-")));
    name.len() == 4 && fs::read_dir(dir).is_ok_and(|mut entries| entries.any(|e| e.is_ok_and(starts)))
}

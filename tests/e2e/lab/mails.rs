//! Mails as the lab's server stored them.

use std::fs;
use std::path::Path;

/// A delivered mail.
#[derive(Debug)]
pub(crate) struct Mail {
    /// As it came, with the server's own headers (`X-Lab-…`) before it.
    pub(crate) text: String,
}

impl Mail {
    /// All mails in a directory, in the order of their delivery.
    pub(crate) fn all_in(dir: &Path) -> Vec<Self> {
        let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|e| e == "eml"));
        files.sort();
        let text = |file: &std::path::PathBuf| String::from_utf8_lossy(&fs::read(file).unwrap()).replace("\r\n", "\n");
        files.iter().map(|file| Self { text: text(file) }).collect()
    }

    /// A header's value, its lines joined; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        let (head, _) = self.text.split_once("\n\n").unwrap_or((&self.text, ""));
        let joined = head.replace("\n ", " ").replace("\n\t", " ");
        let prefix = format!("{}:", name.to_lowercase());
        let found = joined.lines().find(|line| line.to_lowercase().starts_with(&prefix));
        found.map(|line| line[prefix.len()..].trim().to_owned()).unwrap_or_default()
    }
}

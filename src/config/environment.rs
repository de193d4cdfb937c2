//! What the configuration takes from the process: environment variables, the host's name, and what time it is.
//!
//! Handed in as a value, so that nothing below reads the process's environment by itself.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};

use crate::clock::{Clock, SystemClock};

/// Environment variables, the host's name and the time. Its `Debug` shows no value: some of them are secrets.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    host_name: String,
    now: Option<DateTime<Utc>>,
}

impl Environment {
    /// An environment of one's own making, in which nobody knows what time it is.
    pub fn new<N: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
        host_name: impl Into<String>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, host_name: host_name.into(), now: None }
    }

    /// The same at this time.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> Self {
        Self { now: Some(now), ..self }
    }

    /// The environment of this process. Variables that are not valid UTF-8 are left out.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let host_name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
        Self { variables, host_name, now: Some(SystemClock.now()) }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// What time it is, for warnings about what is over; `None`: not known.
    pub const fn now(&self) -> Option<DateTime<Utc>> {
        self.now
    }

    /// The host's name; `localhost` where it has none.
    pub fn host_name(&self) -> &str {
        if self.host_name.trim().is_empty() { "localhost" } else { &self.host_name }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.variables.keys().collect();
        let mut shown = f.debug_struct("Environment");
        shown.field("variables", &names).field("host_name", &self.host_name).field("now", &self.now).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_a_variable_is_ever_printed() {
        let environment = Environment::new([("API_KEY", "hunter2")], "edge-1");
        assert_eq!(environment.get("API_KEY"), Some("hunter2"));
        assert!(!format!("{environment:?}").contains("hunter2"));
    }

    #[test]
    fn a_host_without_a_name_is_called_localhost() {
        assert_eq!(Environment::default().host_name(), "localhost");
        assert!(!Environment::of_process().host_name().is_empty());
    }
}

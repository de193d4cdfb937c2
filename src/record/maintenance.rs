//! That a cycle was in a maintenance window.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What is in force for a site during maintenance: the effects of every window together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The window's name, where it has one.
    pub name: Option<String>,
    /// When the last of the windows in force ends.
    pub until: DateTime<Utc>,
    /// People are told nothing.
    pub suppress_alerts: bool,
    /// The time is not counted in the agreed time.
    pub exclude_from_sla: bool,
    /// No tunnel is restarted.
    pub pause_restarts: bool,
}

impl InForce {
    /// What a row says of it: the name, else `yes`.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or("yes")
    }
}

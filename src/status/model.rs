//! The document: what `status --json` prints, and what a running prober answers. Described in `docs/status.md`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::record::{FailureKind, FaultDomain, InForce, Reason, SiteKind, SiteName, Stage, Verdict};

/// Version of the document. Keys may be added to it; one that changes its meaning or goes raises it.
pub const VERSION: u32 = 1;

/// What a prober knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// [`VERSION`].
    pub version: u32,
    /// When it was asked.
    pub time: DateTime<Utc>,
    /// The prober's name.
    pub prober: String,
    /// Whether it runs; else this is what its state directory knows.
    pub running: bool,
    /// Since when it runs.
    pub running_since: Option<DateTime<Utc>>,
    /// Since when the prober's own uplink is down, once people were told of it.
    #[serde(default)]
    pub uplink_down_since: Option<DateTime<Utc>>,
    /// What all sites have in common, once people were told of it.
    #[serde(default)]
    pub all_sites: Option<AllSites>,
    /// Every site, in the order of the configuration.
    pub sites: Vec<SiteStatus>,
    /// Messages that are not delivered.
    pub outbox: OutboxStatus,
}

/// That all sites fail at one stage, or none can be told of for one reason; while it is so, no site is told of singly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AllSites {
    /// Down or unknown.
    pub state: State,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Where they fail.
    pub stage: Option<Stage>,
}

/// One site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SiteStatus {
    /// Its name.
    pub site: SiteName,
    /// Its kind.
    pub kind: SiteKind,
    /// Its group.
    pub group: Option<String>,
    /// How it is.
    pub state: State,
    /// Since when: the start of the first cycle that saw it so.
    pub since: Option<DateTime<Utc>>,
    /// The stage that decided a state other than up, or that had failed before a tunnel was restored.
    pub stage: Option<Stage>,
    /// Its reason.
    pub reason: Option<Reason>,
    /// Whose fault that is.
    pub fault_domain: Option<FaultDomain>,
    /// What a person wants to know beside the reason.
    pub detail: Option<String>,
    /// Start of the latest cycle.
    pub last_cycle: Option<DateTime<Utc>>,
    /// Its id.
    pub cycle_id: Option<String>,
    /// When the next cycle is due; none where none is planned, or one is due or under way.
    pub next_cycle: Option<DateTime<Utc>>,
    /// Whether a cycle is under way.
    pub under_way: bool,
    /// The outage that people were told of and that is not over.
    pub alert: Option<OpenAlert>,
    /// Since when the prober can't tell, once people were told of it.
    pub blind_since: Option<DateTime<Utc>>,
    /// Whether people were told that it falls again and again, and it is not over.
    pub unsteady: bool,
    /// Whether people were told that it changes between up and down again and again, and it does.
    #[serde(default)]
    pub flapping: bool,
    /// The rest of its account.
    pub account: Option<AccountPause>,
    /// The maintenance in force.
    pub maintenance: Option<InForce>,
    /// What the client left on the host in the latest cycle.
    pub leftovers: Vec<String>,
    /// Time to log in, in milliseconds, in the latest cycle.
    pub login_ms: Option<f64>,
}

/// How a site is: the verdict of its latest cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Up.
    Up,
    /// Down.
    Down,
    /// The prober could not tell.
    Unknown,
    /// No cycle is over yet.
    NotProbed,
}

impl State {
    /// As text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
            Self::NotProbed => "not probed yet",
        }
    }
}

impl From<Verdict> for State {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Up => Self::Up,
            Verdict::Down => Self::Down,
            Verdict::Unknown => Self::Unknown,
        }
    }
}

/// An outage that people were told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAlert {
    /// The first down cycle.
    pub since: DateTime<Utc>,
    /// When people were told last.
    pub told: DateTime<Utc>,
    /// How often they were reminded.
    pub reminders: u32,
    /// The id of the first message.
    pub id: String,
    /// The channels that have not delivered it.
    #[serde(default)]
    pub undelivered: Vec<String>,
}

/// The rest of an account, as long as its secret is the one that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountPause {
    /// The user name.
    pub username: String,
    /// The realm.
    pub realm: Option<String>,
    /// Why.
    pub reason: FailureKind,
    /// Until when; none: until its secret changes, or `resume`.
    pub until: Option<DateTime<Utc>>,
}

/// Messages that are not delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxStatus {
    /// What waits, the oldest first.
    pub pending: Vec<MessageStatus>,
    /// What was given up and is kept, the oldest first.
    pub dead: Vec<MessageStatus>,
    /// How many were delivered since the state was begun.
    pub delivered: u64,
    /// How many were given up since then, those no longer kept included.
    pub given_up: u64,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageStatus {
    /// Its id: the same for every channel.
    pub id: String,
    /// The channel.
    pub channel: String,
    /// The site, or what else it is about.
    pub subject: String,
    /// When it was put into the outbox.
    pub created: DateTime<Utc>,
    /// Its age in seconds.
    pub age_s: u64,
    /// Attempts that failed.
    pub attempts: u32,
    /// When it is tried next; of a dead letter, when it would have been.
    pub next_attempt: DateTime<Utc>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

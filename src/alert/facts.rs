//! What a message tells about a cycle: small, serialisable, kept with the alert's state.

use serde::{Deserialize, Serialize};

use crate::record::{DialogueEvent, FaultDomain, Reason, Stage};

/// What a cycle found, as far as a message tells it. What was not measured is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertFacts {
    /// The prober's name.
    pub prober: String,
    /// The stage that decided a verdict other than up.
    pub stage: Option<Stage>,
    /// Its reason.
    pub reason: Option<Reason>,
    /// What a person wants to know beside the reason; no secret.
    pub detail: Option<String>,
    /// Outcomes of all stages, as in the CSV: `external=passed login=auth-rejected`.
    pub stages: String,
    /// Echo requests to the external address.
    pub external: Option<PingFacts>,
    /// What the stage `gateway` saw, in words: times of its phases, days until the certificate ends.
    pub gateway: Option<String>,
    /// Time to log in, in milliseconds.
    pub login_ms: Option<f64>,
    /// Echo requests through the tunnel.
    pub internal: Option<PingFacts>,
    /// Checks through the tunnel, as in the CSV: `tcp:10.1.0.9:443=3.2`.
    pub checks: String,
    /// The last lines of the dialogue, secrets blanked.
    pub dialogue: Vec<DialogueEvent>,
}

/// What a series of echo requests brought.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PingFacts {
    /// Mean of the round-trip times in milliseconds; none without a reply.
    pub rtt_ms: Option<f64>,
    /// Lost requests in percent, 0 to 100.
    pub loss_pct: f64,
}

impl AlertFacts {
    /// Whose fault the reason is.
    pub fn fault_domain(&self) -> Option<FaultDomain> {
        self.reason.map(Reason::fault_domain)
    }
}

//! What a message tells about a cycle: small, serialisable, kept with the alert's state.

use serde::{Deserialize, Serialize};

use crate::record::{DialogueEvent, FaultDomain, Reason, SiteKind, Stage, TunnelFacts};

/// What a cycle found, as far as a message tells it. What was not measured is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertFacts {
    /// The prober's name.
    pub prober: String,
    /// The site's group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What was probed; none in the state of an earlier version, which knew SSL VPN only.
    pub kind: Option<SiteKind>,
    /// The stage that decided a verdict other than up, or that failed before a tunnel was restored.
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
    /// What strongSwan said of the tunnel; none unless it was up at the end.
    pub tunnel: Option<TunnelFacts>,
    /// What was done to bring a tunnel back, or why nothing was.
    pub restart: Option<RestartFacts>,
    /// The last lines of the dialogue, secrets blanked.
    pub dialogue: Vec<DialogueEvent>,
    /// The account that logs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Of what all sites have in common: those that were found so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites: Option<Vec<String>>,
    /// And the site whose cycle decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
}

/// What a series of echo requests brought.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PingFacts {
    /// Mean of the round-trip times in milliseconds; none without a reply.
    pub rtt_ms: Option<f64>,
    /// Lost requests in percent, 0 to 100.
    pub loss_pct: f64,
}

/// What became of the stage `restart`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestartFacts {
    /// Its reason where it failed or could not tell.
    pub reason: Option<Reason>,
    /// The attempts and how they ended, the limit, or why it was left alone; no secret.
    pub words: String,
}

impl AlertFacts {
    /// Whose fault the reason is.
    pub fn fault_domain(&self) -> Option<FaultDomain> {
        self.reason.map(Reason::fault_domain)
    }
}

//! What a message says of things that have no verdict: what a client left on the prober's host, the gateway's
//! certificate, and the account's password.

use chrono::{DateTime, Utc};

use super::{Body, MAX_LINE, MAX_NAME, length, one_line, words};
use crate::alert::AlertFacts;
use crate::record::LeftoverKind;

impl Body<'_> {
    /// Something was left.
    pub(super) fn write_leftovers(&mut self, name: &str, facts: &AlertFacts, kinds: &[LeftoverKind]) {
        self.line(&format!("The client of {name} left something on the prober's host that could not be put right."));
        self.line(
            "It says nothing of the gateway, but what is measured through a host that is not clean may be wrong.",
        );
        self.line("");
        self.field("Site", name);
        self.field("Left", &named(kinds));
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
        self.line("");
        self.line("What to try");
        for kind in kinds {
            self.line(&format!("  {}", what_to_try(*kind)));
        }
        self.write_values("Last values", facts);
    }

    /// Nothing is left any more.
    pub(super) fn write_leftovers_gone(
        &mut self,
        name: &str,
        facts: &AlertFacts,
        start: DateTime<Utc>,
        now: DateTime<Utc>,
    ) {
        let (since, lasted) = (self.time(start), words(length(start, now)));
        self.line(&format!("Nothing of the client of {name} is left on the prober's host any more."));
        self.line("");
        self.field("Left since", &since);
        self.field("Length", &lasted);
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
    }

    /// The certificate runs out.
    pub(super) fn write_certificate(&mut self, name: &str, facts: &AlertFacts, days: i64) {
        self.line(&format!("The certificate of the gateway of {name} {}.", runs_out(days)));
        self.line("");
        self.field("Site", name);
        self.gateway(facts);
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
        self.line("");
        self.line("What to try");
        self.line(
            "  Renew the gateway's certificate; where its fingerprint is pinned, pin the new one before it is used.",
        );
    }

    /// There is another one.
    pub(super) fn write_renewed(&mut self, name: &str, facts: &AlertFacts, days: i64) {
        self.line(&format!("The gateway of {name} has another certificate, which {}.", runs_out(days)));
        self.line("");
        self.gateway(facts);
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
    }

    /// The password runs out.
    pub(super) fn write_password(&mut self, name: &str, facts: &AlertFacts, days: i64) {
        self.line(&format!("The password of the account of {name} {}, its client says.", runs_out(days)));
        self.line("Once it has, the login fails, and every site of the account with it.");
        self.line("");
        self.field("Site", name);
        self.account(facts);
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
        self.line("");
        self.line("What to try");
        self.line(
            "  Set a new password for the test account and put it where the prober reads it, both at the same time.",
        );
        self.write_dialogue(&facts.dialogue);
    }

    /// It does no more.
    pub(super) fn write_password_lasts(&mut self, name: &str, facts: &AlertFacts) {
        self.line(&format!("The client of {name} no longer says that the password of the account runs out."));
        self.line("");
        self.field("Site", name);
        self.account(facts);
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
    }

    fn account(&mut self, facts: &AlertFacts) {
        if let Some(account) = &facts.account {
            self.field("Account", &one_line(account, MAX_NAME));
        }
    }

    fn gateway(&mut self, facts: &AlertFacts) {
        if let Some(gateway) = &facts.gateway {
            self.field("Gateway", &one_line(gateway, MAX_LINE));
        }
    }
}

/// `interface-left, route-left`.
pub(super) fn named(kinds: &[LeftoverKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}

/// When, in words that follow the certificate.
pub(super) fn runs_out(days: i64) -> String {
    match days {
        ..0 => "has run out".to_owned(),
        0 => "runs out within a day".to_owned(),
        1 => "runs out in 1 day".to_owned(),
        days => format!("runs out in {days} days"),
    }
}

const fn what_to_try(kind: LeftoverKind) -> &'static str {
    match kind {
        LeftoverKind::ClientSurvived => {
            "client-survived: is the prober root? Else a driver hangs: look at the process (ps, /proc/PID/stack), and reboot."
        }
        LeftoverKind::InterfaceLeft => "interface-left: run `vpnprobe cleanup` on the prober's host as root.",
        LeftoverKind::RouteLeft => {
            "route-left: run `vpnprobe cleanup` on the prober's host as root; its words name the routes."
        }
        LeftoverKind::ResolvConfNotRestored => {
            "resolv-conf-not-restored: run the `restore_command` by hand; may the prober write the file?"
        }
    }
}

//! What a pass finds and does, in the words of the field: MIPsec's and ipsec-keepalive's.

use std::fmt;

use super::{Assessment, Plan, Refusal, Step, Wait};

/// What is found and done, as it is.
#[derive(Debug)]
pub enum Note<'a> {
    /// What a tunnel is, looked at first.
    Found(&'a str, &'a Assessment),
    /// It came up without our doing.
    Back(&'a str),
    /// It is left to strongSwan for now.
    Left(&'a str, &'a Wait),
    /// It needs a restart and gets none.
    Refused(&'a str, &'a Refusal),
    /// It gets none in this pass, because that of another tunnel of its connection has just failed, and no IKE_SA is up.
    NotTried(&'a str, &'a str),
    /// What would be done.
    Would(&'a str, &'a Plan),
    /// A step of a restart.
    Step(&'a Step),
}

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(name, assessment) => {
                let words = assessment.to_string();
                let loud = [("is up", "is UP"), ("is down", "is DOWN")].into_iter().find_map(|(word, loud)| {
                    let rest = words.strip_prefix(word)?;
                    Some(format!("{loud}{rest}"))
                });
                write!(f, "Tunnel {name} {}", loud.as_ref().unwrap_or(&words))
            }
            Self::Back(name) => write!(f, "Tunnel {name} is UP: it came back by itself"),
            Self::Left(name, why) => write!(f, "Tunnel {name} is left to strongSwan for now: {why}"),
            Self::Refused(name, why) => write!(f, "Tunnel {name} is not reset: {why}"),
            Self::NotTried(name, other) => {
                write!(f, "Tunnel {name} is not reset: {other}, of the same connection, could just not be restored")
            }
            Self::Would(name, plan) => write!(f, "Tunnel {name} would be reset: {}", plan.steps().join(", then ")),
            // What it is was said already.
            Self::Step(Step::Begun { tunnel, .. }) => write!(f, "resetting tunnel {}", tunnel.child),
            Self::Step(step) => step.fmt(f),
        }
    }
}

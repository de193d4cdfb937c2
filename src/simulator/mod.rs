//! The console dialogue of Connect Tunnel, played from a scenario.
//!
//! It speaks on any reader and writer and leaves the tunnel itself to a [`Carrier`]: the lab's stand-in for `startct`
//! drives a real client underneath, the demonstration a simulated one. It is a fake client: it measures nothing, decides
//! nothing about a site and uses nothing of the prober.

mod action;
mod carrier;
mod console;
mod dialogue;
mod scenario;
mod words;

pub use action::{Action, Flood, Manner};
pub use carrier::{Attempt, Carrier, Certificate};
pub use console::Console;
pub use dialogue::{Ending, Invocation, converse};
pub use scenario::{
    Banner, CertificateOf, Delay, DialogOrder, Fate, Fault, Scenario, ScenarioError, SecondFactor, Step, TunnelShape,
};
pub use words::{ANOTHER_INSTANCE, NO_SECURE_CONNECTION, TIMED_OUT, WRONG_CREDENTIALS, unreachable};

//! The configuration: what the user wrote, checked as a whole.

mod model;
mod secret;

pub use model::{
    Account, Adopt, AlertRules, Config, DialogueRule, Email, Fingerprint, FingerprintAlgorithm, Leave, Logging,
    PingConfig, Profile, Reaction, ResolvConfConfig, Site, SiteTarget, SmtpTls, SslVpn, Template, TemplatePart,
};
pub use secret::{Secret, SecretError, SecretSource};

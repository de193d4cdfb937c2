//! How much an event matters, and which part of its story it is: pure, and in this one place.

use super::AlertKind;
use crate::config::Severity;

/// Which part of a story an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It begins one that goes on.
    Beginning,
    /// It goes on.
    Middle,
    /// It is over.
    End,
    /// All there is to tell.
    Alone,
}

impl AlertKind {
    /// How much it matters. What goes on with a story and what ends it matter as much as its beginning, so that whoever
    /// was told of that is told of these.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Triggered { .. } | Self::Reminder { .. } | Self::Resolved { .. } => Severity::Critical,
            Self::Unsteady { .. }
            | Self::Steady { .. }
            | Self::Blind { .. }
            | Self::BlindOver { .. }
            | Self::Flapping { .. }
            | Self::FlappingDigest { .. }
            | Self::FlappingOver { .. }
            | Self::Leftovers { .. }
            | Self::LeftoversGone { .. }
            | Self::CertificateExpires { .. }
            | Self::CertificateRenewed { .. }
            | Self::PasswordExpires { .. }
            | Self::PasswordRenewed {} => Severity::Warning,
            Self::Restored { .. } | Self::Test { .. } | Self::Report { .. } => Severity::Info,
        }
    }

    /// Which part of its story it is.
    pub(super) const fn part(&self) -> Part {
        match self {
            Self::Triggered { .. }
            | Self::Blind { .. }
            | Self::Unsteady { number: 0, .. }
            | Self::Flapping { .. }
            | Self::Leftovers { .. }
            | Self::CertificateExpires { first: true, .. }
            | Self::PasswordExpires { first: true, .. } => Part::Beginning,
            Self::Reminder { .. }
            | Self::Unsteady { .. }
            | Self::FlappingDigest { .. }
            | Self::CertificateExpires { .. }
            | Self::PasswordExpires { .. } => Part::Middle,
            Self::Resolved { .. }
            | Self::BlindOver { .. }
            | Self::Steady { .. }
            | Self::FlappingOver { .. }
            | Self::LeftoversGone { .. }
            | Self::CertificateRenewed { .. }
            | Self::PasswordRenewed {} => Part::End,
            Self::Restored { .. } | Self::Test { .. } | Self::Report { .. } => Part::Alone,
        }
    }
}

//! Which certificates the client has shown, and whether one of them is not pinned: pure.
//!
//! What a certificate question says comes in part from whoever offers the certificate: its subject may hold the words
//! `Fingerprint: SHA1[…]` with the pinned hash, a whole question, or an escape sequence that hides what follows. So it is
//! not enough that the question names a pinned certificate. Every fingerprint on the terminal counts, in the raw bytes,
//! before anything is filtered: the client itself always prints the true one, and that one then gives it away, however
//! late it comes: at the latest before a secret is typed.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::config::{Fingerprint, FingerprintAlgorithm};

/// Longest text of one fingerprint: `SHA-256 [` and 32 bytes as `AA:`, rounded up.
const LONGEST: usize = 128;
/// Different unpinned fingerprints that are remembered: the first one decides.
const MOST: usize = 8;

static SHOWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i-u)(?:sha-?(?:1|256)[ \t]*[\[:=][ \t]*[0-9a-f:]+|pin-sha256:[a-z0-9+/]{43}=)").ok()
});

/// What the client has shown of certificates.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    pinned: Vec<Fingerprint>,
    /// The end of what was looked at: a fingerprint may go on in the next read.
    tail: Vec<u8>,
    /// Fingerprints that are not pinned, as shown.
    strangers: Vec<(FingerprintAlgorithm, String)>,
    /// What the questions that were answered were asked about.
    accepted: Vec<FingerprintAlgorithm>,
}

impl Certificates {
    pub(super) fn new(pinned: Vec<Fingerprint>) -> Self {
        Self { pinned, ..Self::default() }
    }

    /// The client printed this.
    pub(super) fn look(&mut self, bytes: &[u8]) {
        // The plain case: no text, no work.
        if self.tail.is_empty() && bytes.is_empty() {
            return;
        }
        self.tail.extend_from_slice(bytes);
        let Some(pattern) = &*SHOWN else { return };
        for found in pattern.find_iter(&self.tail) {
            let shown = String::from_utf8_lossy(found.as_bytes()).into_owned();
            // One that is not whole yet has no right length; it is looked at again with the next read.
            let Some(fingerprint) = parse(&shown) else { continue };
            let stranger = (fingerprint.algorithm, shown);
            let new = !self.pinned.contains(&fingerprint) && !self.strangers.contains(&stranger);
            if new && self.strangers.len() < MOST {
                self.strangers.push(stranger);
            }
        }
        let keep = self.tail.len().min(LONGEST);
        self.tail.drain(..self.tail.len() - keep);
    }

    /// The client asks whether this certificate is to be accepted; `Err`: the one that is not pinned.
    pub(super) fn may_accept(&mut self, offered: &str) -> Result<(), String> {
        let Some(fingerprint) = Fingerprint::parse(offered).filter(|f| self.pinned.contains(f)) else {
            return Err(offered.to_owned());
        };
        if !self.accepted.contains(&fingerprint.algorithm) {
            self.accepted.push(fingerprint.algorithm);
        }
        self.trusted()
    }

    /// Whether every certificate of a kind that was asked about is pinned; `Err`: one that is not. A client may show
    /// another kind of hash beside the one that it asks about: that alone says nothing.
    pub(super) fn trusted(&self) -> Result<(), String> {
        match self.strangers.iter().find(|(algorithm, _)| self.accepted.contains(algorithm)) {
            Some((_, shown)) => Err(shown.clone()),
            None => Ok(()),
        }
    }
}

/// `SHA1[AA:BB…` without its closing bracket, or any form that people may pin.
fn parse(shown: &str) -> Option<Fingerprint> {
    let shown = shown.trim_end_matches(':');
    Fingerprint::parse(shown).or_else(|| Fingerprint::parse(&format!("{shown}]")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PINNED: &str = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";
    const OTHER: &str = "FF:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";

    fn certificates() -> Certificates {
        Certificates::new(vec![Fingerprint::parse(&format!("SHA1:{PINNED}")).unwrap()])
    }

    #[test]
    fn one_that_is_not_pinned_gives_the_question_away_wherever_it_stands_and_however_it_is_cut() {
        let shown = format!("CN=x Fingerprint: SHA1[{PINNED}] \x1bP\r\n  Fingerprint: SHA1[{OTHER}]\r\n");
        for cut in 0..shown.len() {
            let mut certificates = certificates();
            certificates.look(&shown.as_bytes()[..cut]);
            certificates.look(&shown.as_bytes()[cut..]);
            let refused = certificates.may_accept(&format!("SHA1[{PINNED}]")).unwrap_err();
            assert!(refused.contains(OTHER), "cut at {cut}: {refused}");
        }
    }

    #[test]
    fn it_gives_the_gateway_away_also_after_the_answer() {
        let mut certificates = certificates();
        certificates.look(format!("SHA1[{PINNED}]").as_bytes());
        assert_eq!(certificates.may_accept(&format!("SHA1[{PINNED}]")), Ok(()));
        assert_eq!(certificates.trusted(), Ok(()));
        certificates.look(&[b'x'; 10_000]);
        certificates.look(format!("SHA1[{OTHER}]").as_bytes());
        certificates.look(&[b'x'; 10_000]);
        assert!(certificates.trusted().is_err());
    }

    #[test]
    fn another_kind_of_hash_beside_the_pinned_one_says_nothing() {
        let mut certificates = certificates();
        certificates.look(format!("SHA256={} SHA1[{PINNED}]\n", "AB:".repeat(32)).as_bytes());
        assert_eq!(certificates.may_accept(&format!("SHA1[{PINNED}]")), Ok(()));
    }

    #[test]
    fn without_a_question_a_fingerprint_is_only_text() {
        let mut certificates = certificates();
        certificates.look(format!("Welcome. Our key: SHA1[{OTHER}]").as_bytes());
        assert_eq!(certificates.trusted(), Ok(()));
        assert!(certificates.may_accept(&format!("SHA1[{OTHER}]")).is_err());
        assert!(certificates.may_accept("").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_grow(pieces in proptest::collection::vec(proptest::collection::vec(0u8..=255, 0..300), 0..20)) {
            let mut certificates = certificates();
            for piece in &pieces {
                certificates.look(piece);
                proptest::prop_assert!(certificates.tail.len() <= LONGEST);
            }
        }
    }
}

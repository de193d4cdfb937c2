//! One-time codes by time (RFC 6238): pure.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::config::Secret;

/// Where nothing else is said (RFC 6238 §4.1, and every authenticator).
const PERIOD: u64 = 30;
/// The same (RFC 4226 §5.3).
const DIGITS: u32 = 6;
/// Longer periods are no one-time codes any more; a login would have to wait for the next one.
const LONGEST_PERIOD: u64 = 300;
/// A step this far ahead of now was taken under a clock that was wrong: gateways accept one or two.
const FARTHEST_STEP: u64 = 3;

/// A time step: each has one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Counted from 1970.
    pub number: u64,
    /// Its length in seconds.
    pub period: u64,
}

impl Step {
    /// Whether `last`, taken before, says anything about this one: of another length it does not, and neither when it
    /// lies far ahead, because the clock was set back since.
    pub(super) const fn can_follow(self, last: Self) -> bool {
        self.period == last.period && last.number < self.number.saturating_add(FARTHEST_STEP)
    }
}

/// Why a text is no secret of one-time codes. Never shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TotpError {
    /// Letters that base32 does not have, or too few of them.
    #[error(
        "the secret of the one-time codes is not base32 (RFC 4648) as it is handed out, nor an `otpauth://` address"
    )]
    NotBase32,
    /// `otpauth://hotp/…`, or another kind.
    #[error("the secret of the one-time codes is an `otpauth://` address of another kind than `totp`")]
    NotTotp,
    /// Algorithm, digits or period that there are not.
    #[error("the secret of the one-time codes is an `otpauth://` address with `{0}` out of range")]
    Parameter(&'static str),
}

/// Makes one-time codes.
pub struct Totp {
    key: hmac::Key,
    digits: u32,
    period: u64,
}

impl Totp {
    /// Reads a secret as it is handed out: base32 (RFC 4648; blanks, hyphens, lower case and missing padding are fine),
    /// or an address `otpauth://totp/LABEL?secret=…` with `algorithm`, `digits` and `period`.
    pub fn parse(secret: &Secret) -> Result<Self, TotpError> {
        let text = secret.reveal().trim();
        let address = text.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("otpauth://"));
        if address {
            Self::from_address(&text[10..])
        } else {
            Self::new(text, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, DIGITS, PERIOD)
        }
    }

    fn new(base32: &str, algorithm: hmac::Algorithm, digits: u32, period: u64) -> Result<Self, TotpError> {
        let bytes = decode_base32(base32).filter(|bytes| !bytes.is_empty()).ok_or(TotpError::NotBase32)?;
        Ok(Self { key: hmac::Key::new(algorithm, &bytes), digits, period })
    }

    /// `totp/LABEL?secret=…&algorithm=SHA1&digits=6&period=30`, in any order.
    fn from_address(rest: &str) -> Result<Self, TotpError> {
        let (kind, rest) = rest.split_once('/').ok_or(TotpError::NotTotp)?;
        if !kind.eq_ignore_ascii_case("totp") {
            return Err(TotpError::NotTotp);
        }
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let value = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        let algorithm = match value("algorithm").map(str::to_ascii_uppercase).as_deref() {
            None | Some("SHA1") => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Some("SHA256") => hmac::HMAC_SHA256,
            Some("SHA512") => hmac::HMAC_SHA512,
            Some(_) => return Err(TotpError::Parameter("algorithm")),
        };
        let number = |name: &'static str, default: u64, range: std::ops::RangeInclusive<u64>| match value(name) {
            None => Ok(default),
            Some(text) => text.parse().ok().filter(|n| range.contains(n)).ok_or(TotpError::Parameter(name)),
        };
        let digits = number("digits", DIGITS.into(), 6..=8)?;
        let period = number("period", PERIOD, 1..=LONGEST_PERIOD)?;
        let secret =
            value("secret").ok_or(TotpError::NotBase32)?.replace("%20", " ").replace("%3D", "=").replace("%3d", "=");
        Self::new(&secret, algorithm, u32::try_from(digits).unwrap_or(DIGITS), period)
    }

    /// The step of this time. Before 1970 it is the first one.
    pub fn step_at(&self, now: DateTime<Utc>) -> Step {
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        Step { number: seconds / self.period, period: self.period }
    }

    /// How long until this step begins; zero when it has begun.
    pub fn until(&self, step: Step, now: DateTime<Utc>) -> Duration {
        let begins =
            i64::try_from(step.number.saturating_mul(step.period)).ok().and_then(|s| DateTime::from_timestamp(s, 0));
        let wait = begins.map_or(TimeDelta::zero(), |begins| begins.signed_duration_since(now));
        wait.to_std().unwrap_or_default()
    }

    /// The code of a step (RFC 4226 §5.3).
    pub fn code(&self, step: Step) -> Secret {
        let tag = hmac::sign(&self.key, &step.number.to_be_bytes());
        let bytes = tag.as_ref();
        let offset = usize::from(bytes.last().copied().unwrap_or_default() & 0xf);
        let mut word = [0; 4];
        if let Some(part) = bytes.get(offset..offset + 4) {
            word.copy_from_slice(part);
        }
        let number = (u32::from_be_bytes(word) & 0x7fff_ffff) % 10_u32.pow(self.digits);
        Secret::new(format!("{number:0width$}", width = self.digits as usize))
    }
}

/// Shows nothing of the key.
impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Totp").field("digits", &self.digits).field("period", &self.period).finish_non_exhaustive()
    }
}

/// RFC 4648 §6. Left-over bits at the end are dropped, as every authenticator does.
fn decode_base32(text: &str) -> Option<Vec<u8>> {
    let letters = text.chars().filter(|c| !matches!(c, ' ' | '-' | '\t')).collect::<String>();
    let mut bytes = Vec::with_capacity(letters.len() * 5 / 8);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for letter in letters.trim_end_matches('=').bytes() {
        let value = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secrets of RFC 6238, appendix B, in base32: 20, 32 and 64 bytes of `1234567890…`.
    const SHA1: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    const SHA256: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA====";
    const SHA512: &str =
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA=";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn code(secret: &str, seconds: i64) -> String {
        let totp = Totp::parse(&Secret::new(secret)).unwrap();
        totp.code(totp.step_at(at(seconds))).reveal().to_owned()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, sha1, sha256, sha512) in [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ] {
            let of = |algorithm: &str, secret: &str| {
                code(&format!("otpauth://totp/x?algorithm={algorithm}&digits=8&secret={secret}"), seconds)
            };
            assert_eq!(
                [of("SHA1", SHA1), of("SHA256", SHA256), of("SHA512", SHA512)],
                [sha1, sha256, sha512],
                "{seconds}"
            );
        }
    }

    #[test]
    fn a_secret_is_read_as_it_is_handed_out() {
        for text in [
            SHA1,
            "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
            " GEZDGNBV-GY3TQOJQ-GEZDGNBV-GY3TQOJQ ",
            "otpauth://totp/Example:probe%40example.com?issuer=Example&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "OTPAUTH://TOTP/x?SECRET=gezdgnbvgy3tqojqgezdgnbvgy3tqojq&period=30&digits=6&algorithm=sha1",
        ] {
            assert_eq!(code(text, 59), "287082", "{text}");
        }
        assert_eq!(code("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=60", 119), "287082");
    }

    #[test]
    fn what_is_no_secret_is_refused_without_showing_it() {
        for (text, expected) in [
            ("", TotpError::NotBase32),
            ("hunter2!", TotpError::NotBase32),
            ("A", TotpError::NotBase32),
            ("otpauth://totp/x", TotpError::NotBase32),
            ("otpauth://hotp/x?secret=GEZDGNBV&counter=1", TotpError::NotTotp),
            ("otpauth://totp", TotpError::NotTotp),
            ("otpauth://totp/x?secret=GEZDGNBV&digits=40", TotpError::Parameter("digits")),
            ("otpauth://totp/x?secret=GEZDGNBV&period=0", TotpError::Parameter("period")),
            ("otpauth://totp/x?secret=GEZDGNBV&algorithm=MD5", TotpError::Parameter("algorithm")),
        ] {
            let error = Totp::parse(&Secret::new(text)).err();
            assert_eq!(error, Some(expected), "{text}");
            assert!(text.is_empty() || !format!("{expected} {expected:?}").contains(text));
        }
    }

    #[test]
    fn the_next_step_begins_where_the_clock_says() {
        let totp = Totp::parse(&Secret::new(SHA1)).unwrap();
        let step = totp.step_at(at(59));
        assert_eq!(step, Step { number: 1, period: 30 });
        let next = Step { number: 2, ..step };
        assert_eq!(totp.until(next, at(59)), Duration::from_secs(1));
        assert_eq!(totp.until(next, at(61)), Duration::ZERO);
        assert_eq!(totp.step_at(at(-5)).number, 0);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}", seconds: i32) {
            for text in [text.clone(), format!("otpauth://totp/{text}"), format!("otpauth://totp/x?secret=GEZDGNBV&{text}")] {
                if let Ok(totp) = Totp::parse(&Secret::new(text)) {
                    let code = totp.code(totp.step_at(at(seconds.into())));
                    proptest::prop_assert!((6..=8).contains(&code.reveal().len()));
                }
            }
        }
    }
}

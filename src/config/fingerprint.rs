//! Fingerprints of certificates as people copy them: from a client, from `openssl x509 -fingerprint`. Pure.

use super::{Fingerprint, FingerprintAlgorithm};

/// What a fingerprint looks like, for hints.
pub(super) const FORMS: &str = "write `SHA1:AA:BB:…` (20 bytes), `SHA256:AA:BB:…` (32 bytes) or `pin-sha256:BASE64`";

impl Fingerprint {
    /// Reads `SHA1:AA:BB…`, `SHA256:…`, `SHA1[AA:BB…]`, `pin-sha256:BASE64`; colons between the bytes may be left out.
    /// `None` for anything else, a wrong length included.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(pin) = text.strip_prefix("pin-sha256:") {
            let hash = decode_base64(pin).filter(|hash| hash.len() == 32)?;
            return Some(Self { algorithm: FingerprintAlgorithm::PinSha256, hash });
        }
        let (name, hash) = match text.split_once('[') {
            Some((name, rest)) => (name, rest.strip_suffix(']')?),
            None => text.split_once([':', '='])?,
        };
        let (algorithm, length) = match name.trim().to_ascii_uppercase().replace('-', "").as_str() {
            "SHA1" => (FingerprintAlgorithm::Sha1, 20),
            "SHA256" => (FingerprintAlgorithm::Sha256, 32),
            _ => return None,
        };
        let hash = decode_hex(hash).filter(|hash| hash.len() == length)?;
        Some(Self { algorithm, hash })
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let byte = |pair: &str| (pair.len() == 2).then(|| u8::from_str_radix(pair, 16).ok()).flatten();
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    if text.contains(':') {
        return text.split(':').map(|pair| byte(pair).filter(|_| plain(pair))).collect();
    }
    if !plain(text) {
        return None;
    }
    text.as_bytes().chunks(2).map(|pair| byte(std::str::from_utf8(pair).ok()?)).collect()
}

/// RFC 4648 §4, padded, nothing else.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in digits.as_bytes().chunks(4) {
        let mut bits: u32 = 0;
        for digit in group {
            let value = ALPHABET.iter().position(|known| known == digit)?;
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        bits <<= 6 * (4 - u32::try_from(group.len()).ok()?);
        let [_, decoded @ ..] = bits.to_be_bytes();
        bytes.extend_from_slice(decoded.get(..group.len().checked_sub(1)?)?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";

    #[test]
    fn the_forms_people_copy_are_read() {
        let wanted = Fingerprint::parse(&format!("SHA1:{SHA1}")).unwrap();
        assert_eq!(wanted.algorithm, FingerprintAlgorithm::Sha1);
        assert_eq!((wanted.hash.len(), wanted.hash[10]), (20, 0xAA));
        for text in [
            format!("SHA1[{SHA1}]"),
            format!("sha1:{}", SHA1.to_lowercase()),
            format!("SHA-1:{}", SHA1.replace(':', "")),
            format!(" SHA1={SHA1} "),
        ] {
            assert_eq!(Fingerprint::parse(&text), Some(wanted.clone()), "{text}");
        }
        let sha256 = Fingerprint::parse(&format!("SHA256:{}", "ab".repeat(32))).unwrap();
        assert_eq!(sha256, Fingerprint { algorithm: FingerprintAlgorithm::Sha256, hash: vec![0xAB; 32] });
    }

    #[test]
    fn a_pin_is_read_from_base64() {
        let pin = Fingerprint::parse("pin-sha256:S65v3gSQFYTRf9GaXCSDvB32aEd5xE4wu7CdXhQmmUU=").unwrap();
        assert_eq!(pin.algorithm, FingerprintAlgorithm::PinSha256);
        assert_eq!((pin.hash[0], pin.hash[1], pin.hash[31]), (0x4B, 0xAE, 0x45));
        assert_eq!(decode_base64("AAECAwQ="), Some(vec![0, 1, 2, 3, 4]));
        assert_eq!(decode_base64("/+8="), Some(vec![0xFF, 0xEF]));
    }

    #[test]
    fn anything_else_is_no_fingerprint() {
        for text in [
            "",
            "AA:BB",
            "SHA1:AA:BB",
            "MD5:00112233445566778899aabbccddeeff",
            "SHA256:00:11",
            "SHA1[AA",
            "SHA1:0+:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33",
            "pin-sha256:AAAA",
            "pin-sha256:S65v3gSQFYTRf9GaXCSDvB32aEd5xE4wu7CdXhQmmUU",
            "pin-sha256:S65v3gSQFYTRf9GaXCSDvB32aEd5xE4wu7Cd!hQmmUU=",
            "SHA1:€€€€€€€€€€€€€€€€€€€€",
        ] {
            assert_eq!(Fingerprint::parse(text), None, "{text}");
        }
    }
}

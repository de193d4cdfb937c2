use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

use super::*;

/// 2026-11-20, noon.
const NOW: u64 = 1_795_176_000;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
}

fn params(name: &str, until: (i32, u8, u8)) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until.0, until.1, until.2);
    params
}

fn by_itself(name: &str, until: (i32, u8, u8)) -> CertificateDer<'static> {
    params(name, until).self_signed(&KeyPair::generate().unwrap()).unwrap().into()
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = params(name, (2049, 1, 1));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn issued(name: &str, until: (i32, u8, u8), by: &CertifiedIssuer<'static, KeyPair>) -> CertificateDer<'static> {
    params(name, until).signed_by(&KeyPair::generate().unwrap(), by).unwrap().into()
}

fn seen(chain: &[&CertificateDer<'static>]) -> Seen {
    Seen { chain: chain.iter().map(|&c| c.clone()).collect(), ..Seen::default() }
}

fn wanted(host: &str) -> Wanted {
    Wanted::of(host, [192, 0, 2, 1].into())
}

fn pin(text: &str) -> Vec<Fingerprint> {
    vec![Fingerprint::parse(text).unwrap()]
}

fn sha256_pin(certificate: &CertificateDer<'_>) -> Vec<Fingerprint> {
    pin(&format!("SHA256:{}", hex(certificate, &SHA256)))
}

fn judged(seen: &Seen, host: &str, pins: &[Fingerprint], roots: Option<&Roots>) -> Result<Trusted, Distrust> {
    judge(seen, &wanted(host), Demand { pins, roots }, at(NOW))
}

#[test]
fn what_nobody_asked_to_verify_is_in_nobodys_way() {
    let expired = by_itself("old.example.com", (2021, 1, 1));
    let mut seen = seen(&[&expired]);
    seen.unproven = Some("a signature by SHA-1".to_owned());
    assert_eq!(judged(&seen, "vpn.example.com", &[], None), Ok(Trusted::NotAsked));
}

#[test]
fn a_pin_of_any_kind_is_enough_even_when_the_certificate_has_expired() {
    let leaf = by_itself("other.example.com", (2021, 1, 1));
    let (_, parsed) = X509Certificate::from_der(&leaf).unwrap();
    let key = digest(&SHA256, parsed.public_key().raw);
    for pins in [
        pin(&format!("SHA1:{}", hex(&leaf, &SHA1_FOR_LEGACY_USE_ONLY))),
        sha256_pin(&leaf),
        vec![Fingerprint { algorithm: FingerprintAlgorithm::PinSha256, hash: key.as_ref().to_vec() }],
    ] {
        assert_eq!(judged(&seen(&[&leaf]), "vpn.example.com", &pins, None), Ok(Trusted::Pinned), "{pins:?}");
    }
}

#[test]
fn another_certificate_than_the_pinned_one_is_not_trusted() {
    let pins = sha256_pin(&by_itself("vpn.example.com", (2049, 1, 1)));
    let found = by_itself("vpn.example.com", (2049, 1, 1));
    let why = judged(&seen(&[&found]), "vpn.example.com", &pins, None).unwrap_err().to_string();
    assert_eq!(why, format!("SHA256:{} is not pinned", hex(&found, &SHA256)));
}

#[test]
fn a_pinned_authority_counts_only_for_what_it_signed() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let pins = sha256_pin(ours.der());
    let leaf = issued("vpn.example.com", (2049, 1, 1), &ours);
    let judge = |chain: &[&CertificateDer<'static>]| judged(&seen(chain), "vpn.example.com", &pins, None);
    assert_eq!(judge(&[&leaf, ours.der()]), Ok(Trusted::Pinned));
    // Anybody can show our authority's certificate beside one of his own.
    let forged = issued("vpn.example.com", (2049, 1, 1), &theirs);
    assert!(matches!(judge(&[&forged, ours.der()]), Err(Distrust::Untrusted(_))));
}

#[test]
fn a_copied_certificate_without_its_key_is_not_trusted() {
    let leaf = by_itself("vpn.example.com", (2049, 1, 1));
    let mut seen = seen(&[&leaf]);
    seen.unproven = Some("bad signature".to_owned());
    let why = judged(&seen, "vpn.example.com", &sha256_pin(&leaf), None).unwrap_err();
    assert!(why.to_string().contains("did not prove"), "{why}");
}

#[test]
fn a_chain_must_end_at_a_root_and_be_for_the_name_and_in_time() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let roots = Roots::of(vec![ours.der().clone()]);
    for (case, leaf, host, expected) in [
        ("good", issued("vpn.example.com", (2049, 1, 1), &ours), "vpn.example.com", "trusted"),
        ("with a final dot", issued("vpn.example.com", (2049, 1, 1), &ours), "vpn.example.com.", "trusted"),
        ("an address", issued("192.0.2.1", (2049, 1, 1), &ours), "192.0.2.1", "trusted"),
        ("another's", issued("vpn.example.com", (2049, 1, 1), &theirs), "vpn.example.com", "CN=theirs, which is not"),
        ("another name", issued("old.example.com", (2049, 1, 1), &ours), "vpn.example.com", "not for this name"),
        ("expired", issued("vpn.example.com", (2026, 11, 18), &ours), "vpn.example.com", "expired 2 days ago"),
        ("expired today", issued("vpn.example.com", (2026, 11, 20), &ours), "vpn.example.com", "within the last day"),
    ] {
        let words = match judged(&seen(&[&leaf]), host, &[], Some(&roots)) {
            Ok(Trusted::Verified) => "trusted".to_owned(),
            Ok(other) => panic!("{case}: {other:?}"),
            Err(why) => {
                assert_eq!(matches!(why, Distrust::Expired(_)), case.starts_with("expired"), "{case}");
                why.to_string()
            }
        };
        assert!(words.contains(expected), "{case}: {words}");
    }
}

#[test]
fn a_certificate_that_stands_in_the_ca_file_itself_is_trusted_for_its_name_and_time() {
    let leaf = by_itself("vpn.example.com", (2049, 1, 1));
    let old = by_itself("vpn.example.com", (2021, 1, 1));
    let roots = Roots::of(vec![leaf.clone(), old.clone()]);
    assert_eq!(judged(&seen(&[&leaf]), "vpn.example.com", &[], Some(&roots)), Ok(Trusted::Verified));
    assert!(matches!(judged(&seen(&[&leaf]), "a.example.com", &[], Some(&roots)), Err(Distrust::Untrusted(_))));
    assert!(matches!(judged(&seen(&[&old]), "vpn.example.com", &[], Some(&roots)), Err(Distrust::Expired(_))));
}

#[test]
fn days_left_are_whole_days_and_negative_once_it_is_over() {
    let leaf = by_itself("vpn.example.com", (2026, 11, 20));
    let midnight = NOW - 43_200;
    for (now, days) in [
        (midnight - 86_400, 1),
        (midnight - 86_399, 0),
        (midnight, 0),
        (midnight + 1, -1),
        (midnight + 86_400, -1),
        (midnight + 86_401, -2),
    ] {
        assert_eq!(facts_of(&leaf, at(now)).unwrap().days_left, days, "{now}");
    }
    assert_eq!(facts_of(&leaf, at(0)).unwrap().subject, "CN=vpn.example.com");
}

#[test]
fn bytes_that_are_no_certificate_are_neither_facts_nor_a_panic() {
    let leaf = by_itself("vpn.example.com", (2049, 1, 1));
    for length in 0..leaf.len() {
        let cut = CertificateDer::from(leaf[..length].to_vec());
        assert_eq!(facts_of(&cut, at(NOW)), None, "{length} bytes");
        let seen = Seen { chain: vec![cut], ..Seen::default() };
        let roots = Roots::of(vec![leaf.clone()]);
        assert!(judged(&seen, "vpn.example.com", &sha256_pin(&leaf), Some(&roots)).is_err());
    }
}

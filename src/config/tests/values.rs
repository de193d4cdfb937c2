//! What arrives in the configuration.

use std::path::Path;
use std::time::Duration;

use super::support::{from_text, good, site};
use crate::config::*;
use crate::record::{FailureKind, SiteName};

#[test]
fn a_configuration_of_epmonitoring_works_unchanged() {
    let config = good("epmonitoring.yml").config;
    assert_eq!(config.frequency, Duration::from_mins(10));
    let logging = &config.logging;
    assert_eq!((logging.dir.as_path(), logging.file.as_str()), (Path::new("/var/log/epmonitoring"), "ep_results"));
    let email = logging.email.as_ref().unwrap();
    assert_eq!((email.port, email.tls), (25, SmtpTls::Opportunistic));
    assert_eq!(email.to, ["noc@example.com"]);
    let (paris, target) = site(&config, "Paris");
    assert_eq!(target.client.name, "startct");
    assert_eq!(target.timeout, Duration::from_mins(1));
    assert_eq!(target.password, Some(SecretSource::Inline(Secret::new("0123"))));
    assert_eq!(target.account, Account { username: "probe".to_owned(), realm: Some("on".to_owned()) });
    assert_eq!(paris.interval, Duration::from_mins(10));
    let (_, oslo) = site(&config, "Oslo");
    assert_eq!(oslo.password, Some(SecretSource::Inline(Secret::new("yes"))));
    assert_eq!(oslo.account, Account { username: "007".to_owned(), realm: Some("1e3".to_owned()) });
    let order: Vec<_> = config.sites.iter().map(|site| site.name.as_str()).collect();
    assert_eq!(order, ["Paris", "Oslo"]);
}

#[test]
fn what_is_left_out_has_its_default() {
    let config = good("minimal.yml").config;
    assert_eq!((config.timezone.clone(), config.prober.as_str()), (crate::zone::Zone::utc(), "host-1"));
    assert_eq!(config.state_dir, Path::new("/var/lib/a"));
    assert_eq!(config.resolv_conf.path, Path::new("/etc/resolv.conf"));
    let (gw, target) = site(&config, "gw");
    assert_eq!((gw.alerts, gw.probes.ping), (AlertRules::default(), PingConfig::default()));
    assert_eq!(target.password, Some(SecretSource::File("/etc/vpnprobe/gw.pw".into())));
    assert!(gw.probes.external_required);
    let bare = load_str("frequency: 60", Path::new("."), "c", &Environment::default()).unwrap().config;
    assert_eq!((bare.state_dir, bare.prober.as_str()), (std::path::absolute("state").unwrap(), "localhost"));
    assert!(bare.sites.is_empty() && bare.logging.email.is_none());
    assert!(bare.logging.dir.ends_with("results"), "rows are written also without the block");
}

#[test]
fn merged_and_default_values_arrive_and_the_nearest_one_counts() {
    let config = good("merges.yml").config;
    let (oslo_site, oslo) = site(&config, "oslo");
    assert_eq!(
        (oslo.vpn_gw.as_str(), oslo_site.probes.internal_ip.as_deref()),
        ("vpn.oslo.example.com:8443", Some("10.1.0.1"))
    );
    let (rome, _) = site(&config, "rome");
    assert_eq!((rome.probes.ping.count, rome.probes.ping.interval), (1000, Duration::from_millis(500)));
    assert_eq!(rome.alerts.after, 1);

    let text = "
        frequency: 60
        alerts: { after: 5, resolve_after: 6 }
        defaults: { frequency: 70, password_file: pw, ping: { count: 9 }, alerts: { after: 4 }, params: { a: 1, b: 1 },
                    internal_ip: 10.0.0.1, username: u, vpn_gw: gw }
        sites:
          a: { ping: { timeout: 1 }, alerts: { reminder: 0 }, password_env: MINE }
          b: { frequency: 80, params: { b: 2 } }";
    let config = from_text(text).unwrap().config;
    let ((a, a_target), (b, b_target)) = (site(&config, "a"), site(&config, "b"));
    assert_eq!((a.probes.ping.count, a.probes.ping.timeout), (9, Duration::from_secs(1)));
    assert_eq!((a.alerts.after, a.alerts.resolve_after, a.alerts.reminder), (4, 6, Duration::ZERO));
    assert_eq!(
        a_target.password,
        Some(SecretSource::Env("MINE".to_owned())),
        "what a site says replaces what defaults say"
    );
    assert_eq!((a.interval, b.interval), (Duration::from_secs(70), Duration::from_secs(80)));
    assert_eq!((b_target.params["a"].as_str(), b_target.params["b"].as_str()), ("1", "2"));
}

#[test]
fn own_profiles_start_from_others() {
    let config = good("own-clients.yml").config;
    let names: Vec<_> = config.clients.keys().map(String::as_str).collect();
    assert_eq!(names, ["child", "grandchild", "openconnect", "openvpn", "plain", "startct"]);
    let startct = &config.clients["startct"];
    assert_eq!((startct.command.as_str(), startct.leave.send.as_deref()), ("/opt/ct/startct", Some("quit")));
    assert_eq!((startct.leave.grace, startct.adopt.len(), startct.env.len()), (Duration::from_secs(45), 3, 2));
    let grandchild = &config.clients["grandchild"];
    assert_eq!((grandchild.command.as_str(), grandchild.interface.as_deref()), ("openconnect", None));
    assert_eq!(grandchild.leave.signal.as_deref(), Some("TERM"));
    assert_eq!(grandchild.dialogue[0].expect.as_str(), "Second password:", "own rules come first");
    assert!(grandchild.dialogue.len() > 10);
    let password = &config.clients["plain"].dialogue[1];
    let Reaction::Send { max, .. } = &password.reaction else { panic!() };
    assert_eq!(*max, Some((1, FailureKind::AuthRejected.into())), "a password is never typed in a loop");
}

#[test]
fn variables_that_hold_secrets_are_known() {
    let loaded = from_text(
        "logging: { email: { server: mx, from: a@b.example, to: c@d.example, username: u, password_env: MAIL_PW } }\n\
         sites: { a: { vpn_gw: gw, username: u, password_env: SITE_PW } }",
    );
    let expected =
        ["CREDENTIALS_DIRECTORY", "MAIL_PW", "NOTIFY_SOCKET", "SITE_PW", "TELEGRAM_BOT_TOKEN", "VPN_SENTINEL_API_KEY"];
    assert_eq!(loaded.unwrap().config.secret_env, expected);
}

#[test]
fn mail_with_a_password_asks_for_tls_by_itself() {
    let config = good("mail.yml").config;
    let email = config.logging.email.unwrap();
    assert_eq!((email.tls, email.port), (SmtpTls::StartTls, 587));
    for (tls, port) in [("tls", 465), ("none", 25), ("starttls", 587)] {
        let text = format!("logging: {{ email: {{ server: mx, from: a@b.example, to: c@d.example, tls: {tls} }} }}");
        assert_eq!(from_text(&text).unwrap().config.logging.email.unwrap().port, port);
    }
}

#[test]
fn a_site_may_be_called_like_a_secret() {
    let error = from_text("sites: { passau: { timeout: abc }, token: { timeout: abc, timeout: x } }").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("sites.passau.timeout: `abc` is not a duration"), "{text}");
    assert!(text.contains("sites.token.timeout: this key is given twice"), "{text}");
}

#[test]
fn tunnels_stand_beside_logins_and_take_from_defaults_what_is_theirs() {
    let config = good("ipsec.yml").config;
    assert_eq!(config.ipsec.socket, "tcp://127.0.0.1:4502");
    let tunnel = |name: &str| config.sites.iter().find(|site| site.name.as_str() == name).unwrap().ipsec().unwrap();
    let utumishi = tunnel("utumishi");
    assert_eq!((utumishi.child_sa.as_str(), utumishi.ike_sa.as_deref()), ("ikev2-vpn-140", None));
    assert_eq!((utumishi.restart.grace, utumishi.restart.max_per_hour), (Duration::ZERO, 1));
    let watched = tunnel("only-watched");
    assert_eq!((watched.ike_sa.as_deref(), watched.restart.enabled, watched.watch), (Some("shared"), false, false));
    assert!(config.sites.iter().any(|site| site.ssl_vpn().is_some()));
}

#[test]
fn maintenance_windows_arrive_by_the_zone_of_the_file() {
    let (yaml, toml) = (good("maintenance.yml").config, good("maintenance-as-toml.toml").config);
    let paris = SiteName::new("paris").unwrap();
    let found = |config: &Config, time: &str| {
        let found = config.maintenance.at(time.parse().unwrap(), &paris)?;
        Some((found.label().to_owned(), found.until.to_rfc3339(), found.suppress_alerts))
    };
    for (config, time, expected) in [
        (&yaml, "2026-11-22T01:00:00Z", ("yes", "2026-11-29T01:00:00+00:00", true)),
        (&yaml, "2026-11-22T02:30:00Z", ("carrier", "2026-11-29T01:00:00+00:00", true)),
        // The weekly one of a whole week alone.
        (&yaml, "2026-11-25T00:00:00Z", ("yes", "2026-11-29T01:00:00+00:00", false)),
        // From the change on; both times that are shown twice.
        (&yaml, "2026-03-29T01:00:00Z", ("yes", "2026-04-05T01:00:00+00:00", true)),
        (&yaml, "2026-10-25T00:30:00Z", ("yes", "2026-11-01T00:00:00+00:00", true)),
        (&yaml, "2026-10-25T01:44:59Z", ("yes", "2026-11-01T00:00:00+00:00", true)),
        (&yaml, "2026-10-25T01:45:00Z", ("yes", "2026-11-01T00:00:00+00:00", false)),
        (&toml, "2026-11-22T02:59:59Z", ("yes", "2026-11-22T04:00:00+00:00", true)),
    ] {
        let expected = (expected.0.to_owned(), expected.1.to_owned(), expected.2);
        assert_eq!(found(config, time), Some(expected), "{time}");
    }
    assert_eq!(found(&toml, "2026-11-22T04:00:00Z"), None);
    assert_eq!(yaml.uplink.targets, ["192.0.2.1".parse::<std::net::IpAddr>().unwrap()]);
}

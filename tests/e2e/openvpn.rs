//! The profile `openvpn` on the real `OpenVPN`, against real servers.

use crate::lab::{Lab, Setup, until};

/// A site of the lab's `OpenVPN` by one of the configurations in its directory; `keys` comes beside.
fn site<'a>(lab: &'a Lab, config: &str, keys: &str) -> Setup<'a> {
    let at = lab.dir().join("openvpn").join(format!("{config}.ovpn"));
    by_file(lab, &at.display().to_string(), keys)
}

fn by_file<'a>(lab: &'a Lab, config: &str, keys: &str) -> Setup<'a> {
    // What the tests wait for otherwise: fifteen seconds for an answer, thirty for a handshake.
    let hasty = "client_args: [--connect-timeout, 1, --hand-window, 2]";
    lab.site("paris", &format!("client: openvpn, {hasty}, params: {{ config: \"{config}\" }}, {keys}"))
}

fn with_passphrase(lab: &Lab) -> String {
    format!("key_passphrase_file: {}", lab.dir().join("secrets/key.pw").display())
}

/// What the client is told by the lab's configuration `of`, with one line changed, in a file beside the prober's own.
fn changed<'a>(lab: &'a Lab, of: &str, from: &str, to: &str, keys: &str) -> Setup<'a> {
    let text = std::fs::read_to_string(lab.dir().join("openvpn").join(format!("{of}.ovpn"))).unwrap();
    assert!(text.contains(from), "{text}");
    let setup = by_file(lab, "changed.ovpn", keys);
    std::fs::write(setup.dir().join("changed.ovpn"), text.replace(from, to)).unwrap();
    setup
}

#[track_caller]
fn is_up(setup: &Setup<'_>, typed: &[&str]) {
    let ran = setup.run(&["test", "--record", "--json"]);
    ran.exits(0);
    let row = setup.row();
    row.is("up", "", "", "").measured(&["login_ms", "internal_rtt_ms"]);
    assert_eq!(ran.typed(), typed);
}

/// One cycle that ends at `login` for this reason, with these words; no password reached a server more often.
#[track_caller]
fn ends(setup: &Setup<'_>, reason: &str, domain: &str, words: &str, passwords: usize) {
    let verdict = if domain == "own" { ("unknown", 3) } else { ("down", 1) };
    let ran = setup.run(&["test", "--record"]);
    ran.exits(verdict.1);
    let row = setup.row();
    row.is(verdict.0, "login", reason, domain);
    assert!(row.cell("detail").contains(words), "`{words}` is not in {:?}", row.cell("detail"));
    assert_eq!(setup.lab().passwords_at_openvpn(), passwords);
}

#[test]
fn a_password_lets_one_in_over_udp_and_over_tcp() {
    for config in ["password", "password-tcp"] {
        let lab = Lab::locked();
        is_up(&site(&lab, config, ""), &["probe", "<password>"]);
        assert_eq!(lab.passwords_at_openvpn(), 1);
    }
}

#[test]
fn a_certificate_lets_one_in_without_user_name_and_password() {
    let lab = Lab::locked();
    is_up(&site(&lab, "certificate", "").without("username").without("password_file"), &[]);
}

#[test]
fn a_locked_key_is_opened_by_its_passphrase() {
    let lab = Lab::locked();
    let paris = site(&lab, "passphrase", &with_passphrase(&lab)).without("username").without("password_file");
    is_up(&paris, &["<key_passphrase>"]);
}

#[test]
fn certificate_passphrase_and_password_together_let_one_in() {
    let lab = Lab::locked();
    is_up(&site(&lab, "both", &with_passphrase(&lab)), &["probe", "<password>", "<key_passphrase>"]);
    assert_eq!(lab.passwords_at_openvpn(), 1);
}

#[test]
fn where_systemd_runs_its_own_question_is_answered() {
    let lab = Lab::locked();
    let paris = lab
        .site("paris", "client: on-systemd")
        .default("params", &format!("{{ config: {} }}", lab.dir().join("openvpn/password.ovpn").display()));
    // What sd_booted(3) looks at, in a mount namespace of the client's own.
    let script = "mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec openvpn \"$@\"";
    let program = paris.dir().join("openvpn-on-systemd");
    std::fs::write(
        &program,
        format!("#!/bin/sh\n[ -n \"$INSIDE\" ] || INSIDE=1 exec unshare -m \"$0\" \"$@\"\n{script}\n"),
    )
    .unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let paris = paris.client("on-systemd", &format!("extends: openvpn, command: \"{}\"", program.display()));
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0).said("press TAB for no echo");
    assert_eq!(ran.typed(), ["probe", "<password>"]);
    assert_eq!(lab.passwords_at_openvpn(), 1);
}

#[test]
fn a_gateway_on_the_command_line_comes_before_those_of_the_file() {
    let lab = Lab::locked();
    let paris =
        changed(&lab, "certificate", "remote 10.78.0.1 1195", "remote 10.78.0.1 1999", "vpn_gw: \"10.78.0.1:1195\"");
    is_up(&paris, &[]);
}

#[test]
fn when_the_first_gateway_refuses_the_next_is_tried() {
    let lab = Lab::locked();
    let remotes = "remote 10.78.0.1 1999 tcp\nremote 10.78.0.1 1194";
    is_up(&changed(&lab, "password", "remote 10.78.0.1 1194", remotes, ""), &["probe", "<password>"]);
    assert_eq!(lab.passwords_at_openvpn(), 1);
}

#[test]
fn a_refused_password_is_sent_once_and_the_reason_is_the_gateways() {
    let wrong = |lab: &Lab| format!("password_file: {}", lab.dir().join("secrets/wrong.pw").display());
    for (keys, reason, words) in [
        ("username: probe", "auth-rejected", "AUTH_FAILED"),
        ("username: locked", "account-locked", "Your account is locked"),
        ("username: expired", "password-expired", "Your password has expired"),
    ] {
        let lab = Lab::locked();
        let paris = site(&lab, "password", &format!("{keys}, {}", wrong(&lab)));
        ends(&paris, reason, "identity", words, 1);
    }
}

#[test]
fn a_gateway_that_is_not_there_is_told_apart() {
    for (remote, reason, domain, words) in [
        ("10.78.0.1 1999 udp", "connect-refused", "gateway", "Connection refused"),
        ("10.78.0.1 1999 tcp", "connect-refused", "gateway", "Connection refused"),
        ("10.78.1.66 1194 udp", "connect-timeout", "gateway", "Server poll timeout"),
        ("10.78.1.66 1194 tcp", "connect-timeout", "gateway", "Connection timed out"),
        ("10.78.1.67 1194 udp", "unreachable", "carrier", "No route to host"),
        ("10.78.1.67 1194 tcp", "unreachable", "carrier", "No route to host"),
        ("nosuch.lab 1194 udp", "resolver-failed", "own", "Temporary failure in name resolution"),
    ] {
        let lab = Lab::locked();
        ends(
            &changed(&lab, "password", "remote 10.78.0.1 1194 udp", &format!("remote {remote}"), ""),
            reason,
            domain,
            words,
            0,
        );
    }
}

#[test]
fn a_gateway_whose_name_does_not_exist_is_the_carriers_fault() {
    let lab = Lab::locked();
    let paris = changed(&lab, "password", "remote 10.78.0.1 1194 udp", "remote nosuch.lab 1194 udp", "");
    // A resolver that knows the zone, and answers so: NXDOMAIN, no such name.
    let resolver = "dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --local=/lab/ \
                    --listen-address=127.0.0.1 --bind-interfaces --user=root --pid-file= & resolver=$!
                    echo nameserver 127.0.0.1 > resolv.conf; mount --bind resolv.conf /etc/resolv.conf || exit 90
                    until ss -Hlun 'sport = :53' | grep -q .; do sleep 0.02; done
                    \"$@\"; code=$?; kill $resolver; wait $resolver; exit $code";
    ends(&paris.wrapped(resolver), "name-not-resolved", "carrier", "Name or service not known", 0);
}

#[test]
fn a_gateway_with_a_wrong_certificate_gets_no_password() {
    for (config, reason, words) in [
        ("expired-gateway", "certificate-expired", "certificate has expired"),
        ("untrusted", "certificate-untrusted", "self-signed certificate in certificate chain"),
    ] {
        let lab = Lab::locked();
        ends(&site(&lab, config, ""), reason, "gateway", words, 0);
    }
}

#[test]
fn a_handshake_that_comes_to_nothing_is_tls_failed() {
    // Over UDP the server says nothing to a certificate that it refuses.
    for config in ["expired", "stranger"] {
        let lab = Lab::locked();
        ends(&site(&lab, config, ""), "tls-failed", "gateway", "TLS key negotiation failed", 0);
    }
    let lab = Lab::locked();
    ends(&site(&lab, "other-cipher", ""), "tls-failed", "gateway", "no shared cipher", 0);
}

#[test]
fn its_own_trouble_is_the_probers() {
    for (from, to, words) in [
        ("client\n", "client\nnonsense\n", "Unrecognized option"),
        ("certificates/client.key", "certificates/none.key", "No such file or directory"),
    ] {
        let lab = Lab::locked();
        ends(&changed(&lab, "certificate", from, to, ""), "client-exited", "own", words, 0);
    }
    let lab = Lab::locked();
    ends(&by_file(&lab, "none.ovpn", ""), "client-exited", "own", "Error opening configuration file", 0);
}

#[test]
fn a_wrong_passphrase_is_nobody_elses_and_nothing_rests() {
    let lab = Lab::locked();
    let wrong = format!("key_passphrase_file: {}", lab.dir().join("secrets/wrong.pw").display());
    let paris = site(&lab, "passphrase", &wrong).without("username").without("password_file");
    ends(&paris, "client-exited", "own", "Cannot load private key file", 0);
    paris.run(&["test"]).exits(3).said("client-exited");
}

#[test]
fn without_the_right_to_make_an_interface_it_is_our_own_fault() {
    let lab = Lab::locked();
    let config = lab.dir().join("openvpn/certificate.ovpn");
    let paris =
        lab.site("paris", "client: powerless").default("params", &format!("{{ config: {} }}", config.display()));
    let args = "[--bounding-set, -all, --inh-caps=-all, openvpn, --config, \"{config}\"]";
    let paris = paris.client("powerless", &format!("extends: openvpn, command: setpriv, args: {args}"));
    ends(&paris, "client-exited", "own", "Cannot ioctl TUNSETIFF", 0);
}

#[test]
fn a_tunnel_that_the_gateway_ends_is_disconnected_and_not_made_again() {
    // `client-kill 0` ends the server's first client.
    for (message, words) in [("HALT,bye", "Halt command was pushed"), ("RESTART,bye", "Connection reset command")] {
        let lab = Lab::locked();
        let paris = site(&lab, "certificate", "internal_ip: 10.77.0.66");
        let paris = paris.without("external_ip").default("ping", "{ count: 60, interval: 500ms, timeout: 2s }");
        let prober = paris.start(&["test", "--record"]);
        until("the tunnel", || lab.goes_inside_by("tun0").then_some(()));
        prober.pings_inside();
        let id = lab.openvpn_client("certificate");
        lab.tell_openvpn("certificate", &format!("client-kill {id} {message}"));
        prober.end().exits(1);
        let row = paris.row();
        row.is("down", "internal", "disconnected", "tunnel");
        assert!(row.cell("detail").contains(words), "{row:?}");
    }
}

#[test]
fn a_gateway_that_falls_silent_is_disconnected_and_gets_no_second_password() {
    let lab = Lab::locked();
    let paris = site(&lab, "password", "internal_ip: 10.77.0.66")
        .without("external_ip")
        .default("ping", "{ count: 60, interval: 500ms, timeout: 2s }");
    let prober = paris.start(&["test", "--record"]);
    until("the tunnel", || lab.goes_inside_by("tun0").then_some(()));
    prober.pings_inside();
    lab.gateway("pause");
    prober.end().exits(1);
    let row = paris.row();
    row.is("down", "internal", "disconnected", "tunnel");
    assert!(row.cell("detail").contains("Inactivity timeout"), "{row:?}");
    lab.gateway("cont");
    assert_eq!(lab.passwords_at_openvpn(), 1);
}

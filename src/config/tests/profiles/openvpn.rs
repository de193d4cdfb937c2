//! The texts of `openvpn`, as 2.6.14 printed them.

use super::decides;

/// The end of a round of tries.
const NONE_LEFT: &str = "2026-11-20 09:29:13 Restart pause, 1 second(s)\n\
    2026-11-20 09:29:14 All connections have been connect-retry-max (1) times unsuccessful, exiting\n\
    2026-11-20 09:29:14 Exiting due to fatal error\n";

fn then_none_is_left(lines: &[&str]) -> String {
    lines.iter().fold(String::new(), |text, line| text + "2026-11-20 09:29:12 " + line + "\n") + NONE_LEFT
}

#[test]
fn its_questions_are_answered_also_where_systemd_asks() {
    decides(
        "openvpn",
        &[
            ("Enter Auth Username:", Some("send <username>")),
            ("Enter Auth Password:", Some("send <password>")),
            ("Enter Auth Password: (press TAB for no echo) ", Some("send <password>")),
            ("Enter Private Key Password:", Some("send <key_passphrase>")),
            ("CHALLENGE: Enter the code", Some("send <otp>")),
            // As the gateway's answer to a password, it comes after that password's end.
            (
                "2026-11-20 12:28:04 AUTH: Received control message: AUTH_FAILED,CRV1:R,E,:lab-state:cHJvYmU=:Enter the code\n\
                 2026-11-20 12:28:04 SIGUSR1[soft,auth-failure] received, process restarting\n\
                 2026-11-20 12:28:04 Restart pause, 1 second(s)\nCHALLENGE: Enter the code",
                Some("send <otp>"),
            ),
        ],
    );
}

#[test]
fn a_question_is_matched_to_its_end_whoever_asks_it() {
    // A secret is typed only where its prompt is the last thing on the terminal.
    let profile = &crate::config::profile::built_in().unwrap()["openvpn"];
    for question in ["Enter Auth Password:", "Enter Private Key Password:"] {
        for more in ["", " ", " (press TAB for no echo)", " (press TAB for no echo) "] {
            let text = format!("{question}{more}");
            let found = profile.dialogue.iter().find_map(|rule| rule.expect.find_at(&text, 0)).unwrap();
            assert_eq!(found.end(), text.len(), "{text:?}");
        }
    }
}

#[test]
fn what_the_gateway_says_to_a_login_is_told_apart() {
    let said = |reason: &str| format!("2026-11-20 09:29:05 AUTH: Received control message: AUTH_FAILED{reason}\n");
    for (reason, expected) in [
        ("", "auth-rejected"),
        (",Your account is locked", "account-locked"),
        (",Your password has expired", "password-expired"),
        (",", "auth-rejected"),
        (",something else", "auth-rejected"),
        (",Credentials refused", "auth-rejected"),
        (",CREDENTIALS REFUSED", "auth-rejected"),
        (",TEMP[backoff 5]:try later", "disconnected"),
        (",Data channel cipher negotiation failed (no shared cipher)", "tls-failed"),
    ] {
        decides("openvpn", &[(&said(reason), Some(expected))]);
    }
    decides("openvpn", &[(&said(",CRV1:R,E,:lab-state:cHJvYmU=:Enter the code"), None)]);
    let alert = "2026-11-20 09:29:05 OpenSSL: error:0A000415:SSL routines::ssl/tls alert certificate expired\n";
    decides("openvpn", &[(alert, Some("auth-rejected"))]);
}

#[test]
fn a_try_that_failed_is_no_end_while_there_are_others() {
    for line in [
        "TCP: connect to [AF_INET]10.78.0.1:1999 failed: Connection refused\n",
        "read UDPv4 [ECONNREFUSED]: Connection refused (fd=3,code=111)\n",
        "VERIFY ERROR: depth=0, error=certificate has expired: CN=expired.lab, serial=1038\n",
        "Server poll timeout, restarting\n",
        "SIGUSR1[soft,server_poll] received, process restarting\n",
        "WARNING: this configuration may cache passwords in memory -- use the auth-nocache option to prevent this\n",
    ] {
        decides("openvpn", &[(&format!("2026-11-20 09:29:12 {line}"), None)]);
    }
}

#[test]
fn when_none_is_left_the_first_failure_is_the_reason() {
    for (lines, expected) in [
        (&["TCP: connect to [AF_INET]10.78.0.1:1999 failed: Connection refused"][..], "connect-refused"),
        (&["read UDPv4 [ECONNREFUSED]: Connection refused (fd=3,code=111)"], "connect-refused"),
        (&["TCP: connect to [AF_INET]10.78.0.99:1999 failed: Connection timed out"], "connect-timeout"),
        (&["Server poll timeout, restarting"], "connect-timeout"),
        (&["TCP: connect to [AF_INET]10.78.1.67:1194 failed: No route to host"], "unreachable"),
        (
            &["read UDPv4 [EHOSTUNREACH]: No route to host (fd=3,code=113)", "Server poll timeout, restarting"],
            "unreachable",
        ),
        (
            &[
                "VERIFY ERROR: depth=0, error=certificate has expired: CN=expired.lab, serial=1038",
                "OpenSSL: error:0A000086:SSL routines::certificate verify failed:",
                "TLS Error: TLS handshake failed",
            ],
            "certificate-expired",
        ),
        (
            &[
                "VERIFY ERROR: depth=1, error=self-signed certificate in certificate chain: CN=vpnprobe lab CA, serial=6",
                "TLS Error: TLS handshake failed",
            ],
            "certificate-untrusted",
        ),
        (&["VERIFY X509NAME ERROR: CN=gw.lab, must be other.lab", "TLS Error: x"], "certificate-untrusted"),
        (
            &[
                "TLS Error: TLS key negotiation failed to occur within 60 seconds (check your network connectivity)",
                "TLS Error: TLS handshake failed",
            ],
            "tls-failed",
        ),
        (&["SIGUSR1[soft,remote-exit] wanted"], "disconnected"),
    ] {
        decides("openvpn", &[(&then_none_is_left(lines), Some(expected))]);
    }
    let name = |why: &str| {
        format!(
            "2026-11-20 09:29:42 RESOLVE: Cannot resolve host address: nosuch.lab:1194 ({why}) (I would have retried)\n2026-11-20 09:29:42 Exiting due to fatal error\n"
        )
    };
    decides("openvpn", &[(&name("Name or service not known"), Some("name-not-resolved"))]);
    decides("openvpn", &[(&name("Temporary failure in name resolution"), Some("resolver-failed"))]);
}

#[test]
fn its_own_trouble_is_nobody_elses() {
    for line in [
        "Options error: In [CMD-LINE]:1: Error opening configuration file: /x.ovpn\n",
        "Options error: --key fails with '/x.key': No such file or directory (errno=2)\n",
        "2026-11-20 09:29:07 Cannot load private key file /x.key\n",
        "2026-11-20 09:29:07 Error: private key password verification failed\n",
        "2026-11-20 09:29:55 ERROR: Cannot ioctl TUNSETIFF tun: Operation not permitted (errno=1)\n",
        "2026-11-20 09:29:55 Exiting due to fatal error\n",
    ] {
        decides("openvpn", &[(line, Some("client-exited"))]);
    }
}

#[test]
fn only_its_own_line_is_a_connection_and_what_ends_one_is_known() {
    decides(
        "openvpn",
        &[
            ("2026-11-20 09:08:22 Initialization Sequence Completed\n", Some("connected")),
            ("2026-11-20 09:08:22 us=1234 PUSH: 'Initialization Sequence Completed'\n", None),
            ("2026-11-20 09:08:22 Info command was pushed by server ('Initialization Sequence Completed')\n", None),
            ("2026-11-20 09:08:22 [gw.lab] Inactivity timeout (--ping-restart), restarting\n", Some("disconnected")),
            ("2026-11-20 09:08:22 Halt command was pushed by server ('bye')\n", Some("disconnected")),
            ("2026-11-20 09:08:22 SIGUSR1[soft,remote-exit] received, process restarting\n", Some("disconnected")),
            ("2026-11-20 09:08:22 Connection reset, restarting [0]\n", Some("disconnected")),
            ("2026-11-20 09:08:22 SIGTERM[soft,auth-failure] received, process exiting\n", None),
        ],
    );
}

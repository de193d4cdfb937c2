//! The built-in client profiles, on the texts of the real clients.

mod openvpn;

use crate::config::{Fingerprint, Profile, Reaction, Template, built_in_profile_names, profile, template};

/// Which rule of a profile decides on this text: the one that matches first, of two at the same place the first listed.
fn decision(profile: &Profile, text: &str) -> Option<String> {
    let found = profile.dialogue.iter().filter_map(|rule| Some((rule.expect.find_at(text, 0)?.start(), rule)));
    found.min_by_key(|(start, _)| *start).map(|(_, rule)| match &rule.reaction {
        Reaction::Send { line, .. } => format!("send {}", line.fill(|name| Some(format!("<{name}>"))).unwrap()),
        Reaction::Failed(reason) => reason.to_string(),
        Reaction::Connected => "connected".to_owned(),
    })
}

fn decides(client: &str, cases: &[(&str, Option<&str>)]) {
    let profiles = profile::built_in().unwrap();
    for (text, expected) in cases {
        assert_eq!(decision(&profiles[client], text).as_deref(), *expected, "{text:?}");
    }
}

#[test]
fn startct_understands_the_texts_of_its_client() {
    let fingerprint = "Fingerprint: SHA1[AA:BB:CC]\nValid until 2027\n";
    decides(
        "startct",
        &[
            (fingerprint, None),
            (&format!("{fingerprint}Do you want to accept this certificate?"), Some("send YES")),
            ("Username:", Some("send <username>")),
            ("Password: ", Some("send <password>")),
            ("One Time Password:", Some("send <otp>")),
            ("Enter the code:", Some("send <otp>")),
            ("Enter your choice [1]: ", Some("send 1")),
            ("Authentication failure\nUsername:", Some("auth-rejected")),
            ("The credentials provided were invalid.", Some("auth-rejected")),
            ("Authentication failed due to wrong credentials.", Some("auth-rejected")),
            ("Access Denied\r\n", Some("auth-rejected")),
            ("Access Denied.", None),
            ("VPN access was denied", Some("auth-rejected")),
            (
                "Access Denied. The required system capabilities are not present, enabled, or current.\n",
                Some("posture-rejected"),
            ),
            ("Your account is locked.", Some("account-locked")),
            ("Your password has expired. Please change it now.", Some("password-expired")),
            ("Your password will expire in 3 days.\n", None),
            ("The login group you entered does not exist. Please try again.", Some("realm-unknown")),
            ("You reached the maximum session limit. Would you like to terminate", Some("session-limit")),
            ("you may have exceeded the license count", Some("no-license")),
            ("VPN server could not allocate an IP address.", Some("no-address")),
            ("'gw' is either currently unreachable or is not a valid SonicWall appliance.", Some("connect-timeout")),
            ("'gw' is currently unreachable, please check your internet connection.", Some("unreachable")),
            ("VPN Connection timed out.", Some("connect-timeout")),
            ("Could not establish secure connection with the VPN server", Some("tls-failed")),
            ("Another instance of this Application is running. Please close", Some("client-busy")),
            ("VPN connections cannot be established with this version of the client.", Some("client-too-old")),
            ("Connect Tunnel install is incomplete or corrupted.", Some("client-missing")),
            ("Connect Tunnel cannot start: java is not in PATH (/bin)", Some("client-missing")),
            ("Try to run anyway? (y/n)", Some("client-too-old")),
            ("Connecting…\nConnect\nCONNECT> ", None),
            ("Connecting…\r\nConnected\r\n", Some("connected")),
            ("Disconnected\r\n", Some("disconnected")),
            ("Connected to the wrong thing\n", None),
        ],
    );
}

#[test]
fn openconnect_understands_the_texts_of_its_client() {
    let question = "Certificate from VPN server \"gw\" failed verification.\r\nReason: signer not found\r\nTo trust this \
                    server in future, perhaps add this to your command line:\r\n    --servercert \
                    pin-sha256:S65v3gSQFYTRf9GaXCSDvB32aEd5xE4wu7CdXhQmmUU=\r\n";
    decides(
        "openconnect",
        &[
            (question, None),
            (&format!("{question}Enter 'yes' to accept, 'no' to abort; anything else to view: "), Some("send yes")),
            ("None of the 1 fingerprint(s) specified via --servercert match server's", Some("certificate-untrusted")),
            ("Connected to 127.0.0.1:4433\r\nSSL negotiation with 127.0.0.1\r\n", None),
            ("Connected to HTTPS on 127.0.0.1 with ciphersuite (TLS1.3)\r\n", None),
            ("Please enter your username.\r\nUsername:", Some("send <username>")),
            ("Please enter your password.\r\nPassword:", Some("send <password>")),
            (
                "POST https://gw/auth\r\nLogin failed.\r\nPlease enter your password.\r\nPassword:",
                Some("auth-rejected"),
            ),
            ("Got HTTP response: HTTP/1.1 401 Authentication failed\r\n", Some("auth-rejected")),
            ("Group: [DEFAULT|staff|guests]:", Some("unexpected-prompt")),
            ("Auth choice \"nope\" not available\r\nGroup: [DEFAULT|staff]:", Some("realm-unknown")),
            ("getaddrinfo failed for host 'gw': Name or service not known\r\n", Some("name-not-resolved")),
            ("getaddrinfo failed for host 'gw': Temporary failure in name resolution\r\n", Some("resolver-failed")),
            ("Failed to connect to [2001:db8::1]:443: Network is unreachable\r\n", None),
            ("gw:443: Connection refused\r\nFailed to connect to host gw\r\nFailed to open", Some("connect-refused")),
            ("gw:443: Network is unreachable\r\nFailed to connect to host gw\r\n", Some("unreachable")),
            ("gw:443: Connection timed out\r\nFailed to connect to host gw\r\n", Some("connect-timeout")),
            ("SSL connection failure: An unexpected TLS packet was received.\r\n", Some("tls-failed")),
            ("Creating SSL connection failed\r\nCookie was rejected by server; exiting.\r\n", Some("session-limit")),
            ("Response:", Some("send <otp>")),
            ("Got CONNECT response: HTTP/1.1 200 CONNECTED\r\nCSTP connected. DPD 60\r\n", None),
            (
                "Configured as 10.88.9.30 + fd00:88::2132/128, with SSL connected and DTLS connected\r\n",
                Some("connected"),
            ),
            ("Configured as 10.88.0.15, with SSL + LZS connected and DTLS disabled\r\n", Some("connected")),
            ("Connected as 10.0.0.2, using SSL\r\n", Some("connected")),
            ("Connected tun0 as 10.0.0.2, using SSL + deflate\r\n", Some("connected")),
            ("Welcome. You are Configured as 10.0.0.1, with SSL\r\n", None),
            ("Enter PEM pass phrase:", Some("send <key_passphrase>")),
            ("Failed to decrypt PKCS#8 certificate file\r\nEnter PEM pass phrase:", Some("send <key_passphrase>")),
            ("Failed to open key/certificate file /x.key: No such file or directory\r\n", Some("client-exited")),
            ("No SSL certificate found to match private key\r\n", Some("client-exited")),
            ("Got HTTP response: HTTP/1.1 401 No certificate\r\n", Some("auth-rejected")),
            ("Client certificate has expired at: Sat, 01 Feb 2020 00:00:00 GMT\r\n", None),
            (
                "Failed to write to TLS/DTLS socket: The TLS connection was non-properly terminated.\r\n",
                Some("tls-failed"),
            ),
            ("Set up tun device failed\r\n", Some("client-exited")),
            ("Session terminated by server; exiting.\r\n", Some("disconnected")),
        ],
    );
}

#[test]
fn the_certificate_question_catches_a_fingerprint_that_can_be_pinned() {
    for (client, text, caught) in [
        ("startct", format!("Fingerprint: SHA1[{}]\nDo you want to accept this certificate", ["AB"; 20].join(":")), 20),
        (
            "openconnect",
            "--servercert pin-sha256:S65v3gSQFYTRf9GaXCSDvB32aEd5xE4wu7CdXhQmmUU=\r\nEnter 'yes' to accept, 'no' to abort"
                .to_owned(),
            32,
        ),
    ] {
        let profile = &profile::built_in().unwrap()[client];
        let found = profile.dialogue.iter().find_map(|rule| rule.expect.captures_at(&text, 0)?.name("fingerprint")).unwrap();
        assert_eq!(Fingerprint::parse(found.as_str()).unwrap().hash.len(), caught);
    }
}

#[test]
fn built_in_profiles_ask_a_site_for_nothing_of_its_own() {
    assert_eq!(built_in_profile_names(), ["openconnect", "openvpn", "startct"]);
    for (name, profile) in profile::built_in().unwrap() {
        let templates = profile.args.iter().flatten().chain(profile.env.values());
        for field in templates.flat_map(Template::fields) {
            let of_files = profile.paths.contains(field);
            assert!(template::SITE_FIELDS.contains(&field) || of_files, "{name}: {field}");
        }
        assert!(profile.interface.is_some() && profile.env.contains_key("LC_ALL"), "{name}");
    }
}

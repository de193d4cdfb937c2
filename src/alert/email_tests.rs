use super::*;

fn email() -> Email {
    Email {
        server: "mail.example.com".into(),
        port: 25,
        tls: SmtpTls::None,
        from: "Probe <probe@example.com>".into(),
        to: vec!["ops@example.com".into(), "Night Shift <night@example.com>".into()],
        login: None,
        ca_file: None,
    }
}

fn mail() -> OutgoingMail {
    OutgoingMail {
        message_id: "paris.1.up".into(),
        in_reply_to: Some("paris.1.down".into()),
        date: "2026-11-20T06:15:30Z".parse().unwrap(),
        subject: "[vpnprobe] Zürich\r\nBcc: all@example.com".into(),
        body: "first\nsecond\n".into(),
        html: None,
        attachment: None,
    }
}

#[test]
fn a_mail_has_every_header_and_none_can_be_injected() {
    let letter = Letter::compose(&email(), &mail()).unwrap();
    let text = String::from_utf8(letter.content).unwrap();
    let expected = "From: Probe <probe@example.com>\r\n\
        To: ops@example.com, \"Night Shift\" <night@example.com>\r\n\
        Date: Fri, 20 Nov 2026 06:15:30 +0000\r\n\
        Message-ID: <paris.1.up@example.com>\r\n\
        Subject: [vpnprobe] =?utf-8?b?WsO8cmljaA==?= Bcc: all@example.com\r\n\
        Auto-Submitted: auto-generated\r\n\
        In-Reply-To: <paris.1.down@example.com>\r\n\
        References: <paris.1.down@example.com>\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: 7bit\r\n\
        \r\n\
        first\r\nsecond\r\n";
    assert_eq!(text, expected);
    assert_eq!(letter.to.len(), 2);
}

#[test]
fn a_wrong_address_is_named() {
    let mut email = email();
    email.to = vec!["nobody".into()];
    let error = Letter::compose(&email, &mail()).err().unwrap();
    assert_eq!(error, SendError::permanent("the recipient `nobody` is no mail address"));
}

#[test]
fn no_date_makes_the_mail_impossible() {
    for date in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        assert!(Letter::compose(&email(), &OutgoingMail { date, ..mail() }).is_ok());
    }
}

#[test]
fn base64_is_that_of_the_rfc() {
    for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
        assert_eq!(base64(text.as_bytes()), encoded);
    }
}

#[test]
fn a_password_that_the_server_echoes_is_blanked_in_every_form() {
    let password = Secret::new("hunter2 secret");
    let login = Some(("probe", &password));
    let plain = base64(b"\0probe\0hunter2 secret");
    let cases = [
        ("535 `hunter2 secret` is wrong", "535 `<password>` is wrong"),
        (&*format!("500 unknown: AUTH PLAIN {plain}"), "500 unknown: AUTH PLAIN <password>"),
        (&*format!("500 unknown: {}", base64(b"hunter2 secret")), "500 unknown: <password>"),
        (&*format!("500 cut: {}", &plain[4..18]), "500 cut: <password>"),
        ("535 5.7.8 authentication failed", "535 5.7.8 authentication failed"),
    ];
    for (said, expected) in cases {
        assert_eq!(blank(SendError::permanent(said), login).text, expected);
    }
}

#[test]
fn an_attachment_comes_out_as_it_went_in_however_long_its_lines_are() {
    let page = format!("<p>{}</p>\n.\n\u{e9}\r\n", "x".repeat(5000));
    let file = Attachment {
        name: "report-2026-10.html".into(),
        media_type: "text/html; charset=utf-8",
        content: page.clone().into_bytes(),
    };
    let letter = Letter::compose(&email(), &OutgoingMail { attachment: Some(file), ..mail() }).unwrap();
    let text = String::from_utf8(letter.content).unwrap();
    assert!(text.lines().all(|line| line.len() < 998));
    for line in ["Content-Type: multipart/mixed;", "Content-Disposition: attachment; filename=\"report-2026-10.html\""]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    let encoded: String = base64(page.as_bytes());
    assert!(text.replace("\r\n", "").contains(&encoded), "{text}");
}

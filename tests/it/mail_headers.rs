//! Mails about sites with awkward names, as a real mail server took them and Python's email package reads them.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::house::{House, alone};
use crate::mail_server::MailServer;

/// Longest wait for a mail that has been sent.
const LIMIT: Duration = Duration::from_secs(20);

/// Reads mails, one JSON text a line; prints headers, body and what the parser found wrong with them.
const READS: &str = "
import email, email.policy, json, sys
for line in sys.stdin:
    mail = email.message_from_bytes(json.loads(line).encode(), policy=email.policy.default)
    faults = [str(d) for part in mail.walk() for of in [part, *part.values()] for d in of.defects]
    body, page = (mail.get_body((kind,)).get_content() for kind in ('plain', 'html'))
    print(json.dumps({'headers': [[k, str(v)] for k, v in mail.items()], 'body': body, 'page': page, 'faults': faults}))
";

/// What each mail says to a mail program.
async fn read(mails: &[String]) -> Vec<Value> {
    let mut python = Command::new("/usr/bin/python3");
    let mut python = python.args(["-c", READS]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines: String = mails.iter().map(|mail| Value::from(mail.as_str()).to_string() + "\n").collect();
    python.stdin.take().unwrap().write_all(lines.as_bytes()).await.unwrap();
    let output = timeout(LIMIT, python.wait_with_output()).await.unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Names as one may write them, and as a subject line shows them.
fn names() -> Vec<(String, String)> {
    let as_it_is = [
        "a, b",
        "a \"quoted\" 'name' \\",
        "=cmd()|' /C calc'!A0",
        "=?utf-8?q?Bcc=3A_x?=",
        "Bcc: everyone@example.com",
        "<b>&amp; a@example.com; b@example.com",
        "Zürich – 東京 – القاهرة 😀",
        "%s %n {password}",
        "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé",
    ];
    let mut names: Vec<_> = as_it_is.map(|name| (name.to_owned(), name.to_owned())).to_vec();
    names.push(("over\u{202e}gpj.exe\u{2066}".into(), "over gpj.exe".into()));
    for long in ["x", "ü", "語 "] {
        let name = long.repeat(300);
        let shown: String = name.chars().take(59).collect();
        names.push((name.trim_end().to_owned(), shown + "…"));
    }
    names
}

#[tokio::test]
async fn whatever_a_site_is_called_its_mail_has_the_promised_headers_and_no_other() {
    let _alone = alone().await;
    let mut server = MailServer::start("none", None, &[]).await;
    let names = names();
    let sites: Vec<_> = names.iter().map(|(name, _)| format!("  {}: {{ client: refusing }}", json!(name))).collect();
    // One that is not looked at: that all sites fail would be one mail.
    let house = House::with_sites(&format!("{}\n  bystander: {{ client: refusing }}", sites.join("\n")));
    let config = std::fs::read_to_string(house.path("config.yml")).unwrap();
    let email =
        format!("email: {{ server: 127.0.0.1, port: {}, from: probe@example.com, to: ops@example.com }}", server.port);
    house.write("config.yml", &config.replace("dir: results }", &format!("dir: results, {email} }}")));
    // Read as they come: together they are more than a pipe holds.
    let arrive = async {
        let mut mails = Vec::new();
        for _ in &names {
            mails.push(server.next("mail").await["mail"].as_str().unwrap().to_owned());
        }
        mails
    };
    let arguments: Vec<&str> =
        ["test", "--record", "--force", "--"].into_iter().chain(names.iter().map(|(name, _)| name.as_str())).collect();
    let (said, mails) = tokio::join!(house.run(&arguments), arrive);
    assert_eq!(said.status, Some(1), "{}", said.stderr);
    assert!(
        mails.iter().flat_map(|mail| mail.split("\r\n")).all(|line| line.len() < 998 && !line.contains(['\r', '\n']))
    );
    let mut seen: Vec<_> = read(&mails).await;
    for (name, shown) in &names {
        let expected = format!("[vpnprobe] {shown} DOWN: login auth-rejected (identity)");
        let subject = |mail: &Value| {
            mail["headers"].as_array().unwrap().iter().any(|header| *header == json!(["Subject", expected]))
        };
        let at = seen.iter().position(subject).unwrap_or_else(|| {
            panic!(
                "no mail says {expected:?}: {:#?}",
                seen.iter().map(|m| m["headers"][4].to_string()).collect::<Vec<_>>()
            )
        });
        let mail = seen.swap_remove(at);
        assert_eq!(mail["faults"], json!([]), "{name:?}");
        let headers: Vec<_> =
            mail["headers"].as_array().unwrap().iter().map(|header| header[0].as_str().unwrap()).collect();
        let all = ["From", "To", "Date", "Message-ID", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type"];
        assert_eq!(headers, all, "{name:?}");
        let body = mail["body"].as_str().unwrap();
        assert!(body.starts_with(&format!("{shown} is DOWN since ")), "{name:?}: {body}");
        let text = shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let page = mail["page"].as_str().unwrap().replace("&#39;", "'");
        assert!(page.contains(&format!("<p>{text} is DOWN since ")), "{name:?}: {page}");
    }
}

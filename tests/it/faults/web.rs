//! What a message to a web server meets at one moment.

use super::{Row, cell};
use crate::channels::{send, web_channels};
use crate::receiver::{Play, Receiver, closed_port, full_port};

pub(super) async fn rows() -> Vec<Row> {
    let mut rows = rows_without_receiver().await;
    for fault in faults() {
        rows.push(row(&fault).await);
    }
    rows
}

/// A fault, and at which step it is met.
struct Fault {
    name: &'static str,
    tls_name: Option<&'static str>,
    play: Play,
    step: &'static str,
}

const fn fault(name: &'static str, play: Play, step: &'static str) -> Fault {
    Fault { name, tls_name: None, play, step }
}

fn faults() -> Vec<Fault> {
    let too_many = Play::Answer(429, "Retry-After: 7\r\n", "slowly");
    vec![
        fault("says nothing, over TLS", Play::HangAtOnce, "TLS: no answer in time"),
        fault("takes the message and says nothing", Play::HangBeforeAnswer, "answer: no answer in time"),
        fault("stops in the middle of its answer", Play::HangInAnswer, "answer: no answer in time"),
        fault("resets the connection", Play::Reset, "127.0.0.1:"),
        fault("speaks something else", Play::NoHttp, "answer: what it answers is no HTTP"),
        fault("answers with 10 MB", Play::Endless, "answer: status 500: xxx"),
        fault("400", Play::Answer(400, "", "bad"), "answer: status 400: bad"),
        fault("404, and shows the URL", Play::Answer(404, "", "no /hunter2hunter2"), "answer: status 404: no "),
        fault("408, 425", Play::Answer(408, "", ""), "answer: status 408"),
        fault("429 with `Retry-After`", too_many, "answer: status 429: slowly"),
        fault("5xx", Play::Answer(502, "", "<h1>Bad Gateway</h1>"), "answer: status 502: <h1>Bad Gateway</h1>"),
        fault("redirects", Play::Answer(302, "Location: /x\r\n", ""), "answer: status 302 (a redirect"),
        Fault {
            tls_name: Some("other.example.com"),
            ..fault("has a certificate for another name", Play::Take, "TLS: ")
        },
    ]
}

/// One row: the fault, then what becomes of a message to each kind of web server.
async fn row(fault: &Fault) -> Row {
    let over_tls = fault.tls_name.or((fault.step.starts_with("TLS")).then_some("127.0.0.1"));
    let plays = [fault.play.clone()];
    let mut cells = Vec::new();
    for index in 0..5 {
        let receiver = match over_tls {
            Some(name) => Receiver::tls(&plays, name).await,
            None => Receiver::plain(&plays).await,
        };
        let scheme = if over_tls.is_some() { "https" } else { "http" };
        let keys =
            if over_tls.is_some() { format!(", ca_file: \"{}\"", receiver.ca_file().display()) } else { String::new() };
        let (kind, channel) = &web_channels(&format!("{scheme}://127.0.0.1:{}", receiver.port), &keys)[index];
        let result = send(channel.as_ref()).await;
        let text = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert!(text.contains(fault.step) && text.contains("127.0.0.1"), "{} × {kind}: {text}", fault.name);
        assert!(!text.contains("hunter2"), "{} × {kind}: {text}", fault.name);
        cells.push(cell(&result).to_owned());
        // Later it takes the message.
        if fault.tls_name.is_none() {
            assert_eq!(send(channel.as_ref()).await, Ok(()), "{} × {kind}", fault.name);
        }
    }
    Row { fault: fault.name.to_owned(), cells }
}

/// What no receiver plays: there is none to speak to.
async fn rows_without_receiver() -> Vec<Row> {
    let (full, _full) = full_port().await;
    let closed = closed_port().await;
    let mut rows = Vec::new();
    for (name, at, step) in [
        ("its name does not exist", "http://receiver.invalid:80".to_owned(), "receiver.invalid:80: name: "),
        ("nobody listens", format!("http://127.0.0.1:{closed}"), ": connection: refused"),
        ("takes no connection", format!("http://127.0.0.1:{full}"), ": connection: no answer in time"),
    ] {
        let mut cells = Vec::new();
        for (kind, channel) in web_channels(&at, "") {
            let result = send(channel.as_ref()).await;
            let text = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
            assert!(text.contains(step) && !text.contains("hunter2"), "{name} × {kind}: {text}");
            cells.push(cell(&result).to_owned());
        }
        rows.push(Row { fault: name.to_owned(), cells });
    }
    rows
}

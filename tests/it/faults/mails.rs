//! The same faults where the receiver is a mail server.

use std::net::Ipv4Addr;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use vpnprobe::alert::send_mail;
use vpnprobe::config::{Email, SmtpTls};

use super::NONE;
use crate::mail::{TAKES_A_MAIL, email_at, server_that_stops_after};
use crate::mail_server::{MailServer, mail};
use crate::receiver::{Play, Receiver, closed_port, full_port};

/// The prober gives a server half a minute.
const DEADLINE: Duration = Duration::from_secs(1);

/// What becomes of a mail in the place of a message to a web server.
pub(super) async fn cell(fault: &str) -> String {
    let (email, step) = match fault {
        "its name does not exist" => (Email { server: "receiver.invalid".into(), ..email_at(25) }, "connection"),
        "nobody listens" => (email_at(closed_port().await), "refused"),
        "takes no connection" => {
            let (port, _full) = full_port().await;
            return tried(&email_at(port), "did not answer the connection in time").await;
        }
        "says nothing, over TLS" => {
            let receiver = Receiver::tls(&[Play::HangAtOnce], "127.0.0.1").await;
            return tried(&over_tls(&receiver), "did not answer the connection in time").await;
        }
        "takes the message and says nothing" => {
            (email_at(server_that_stops_after(&TAKES_A_MAIL[..5]).await), "did not answer the message in time")
        }
        "stops in the middle of its answer" => (
            email_at(
                server_that(|mut stream| async move {
                    let _ = stream.write_all(b"220 mail.te").await;
                    let _ = stream.read(&mut [0; 1]).await;
                })
                .await,
            ),
            "did not answer the connection in time",
        ),
        "resets the connection" => (
            email_at(
                server_that(|mut stream| async move {
                    let _ = stream.write_all(b"220 hello\r\n").await;
                    let _ = stream.read(&mut [0; 1]).await;
                    set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
                })
                .await,
            ),
            "did not accept the connection",
        ),
        "speaks something else" => (
            email_at(
                server_that(|mut stream| async move {
                    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
                })
                .await,
            ),
            "did not accept the connection",
        ),
        "answers with 10 MB" => (
            email_at(
                server_that(|mut stream| async move {
                    let _ = stream.write_all(&b"x".repeat(10_000_000)).await;
                })
                .await,
            ),
            "did not ",
        ),
        "5xx" => {
            let server = MailServer::start("none", None, &["ops@example.com"]).await;
            return tried(&email_at(server.port), "550").await;
        }
        "has a certificate for another name" => {
            let receiver = Receiver::tls(&[], "other.example.com").await;
            return tried(&over_tls(&receiver), "did not accept the connection").await;
        }
        // Of HTTP alone.
        "400" | "404, and shows the URL" | "408, 425" | "429 with `Retry-After`" | "redirects" => return NONE.into(),
        other => panic!("what is `{other}` to a mail?"),
    };
    tried(&email, step).await
}

async fn tried(email: &Email, step: &str) -> String {
    let result = send_mail(email, None, &mail(), Instant::now() + DEADLINE).await;
    let text = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
    assert!(text.contains(step) && text.contains(&format!("{}:{}", email.server, email.port)), "{step}: {text}");
    super::cell(&result).to_owned()
}

fn over_tls(receiver: &Receiver) -> Email {
    Email { tls: SmtpTls::Tls, ca_file: Some(receiver.ca_file()), ..email_at(receiver.port) }
}

/// A server that does this with its one connection.
async fn server_that<F: Future<Output = ()> + Send + 'static>(
    acts: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { acts(listener.accept().await.unwrap().0).await });
    port
}

//! A receiver of messages over HTTP or HTTPS that has every fault a receiver can have.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustix::net::sockopt::set_socket_linger;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Longest wait for a request; only a fault of the test itself takes so long.
const LIMIT: Duration = Duration::from_mins(1);

/// What it does with one connection.
#[derive(Debug, Clone)]
pub(crate) enum Play {
    /// It takes the message.
    Take,
    /// It answers with this status, and these lines of a head, and this text.
    Answer(u16, &'static str, &'static str),
    /// It says nothing after the connection: no TLS, no answer.
    HangAtOnce,
    /// It takes the request and says nothing.
    HangBeforeAnswer,
    /// It says half of an answer's head.
    HangInAnswer,
    /// It resets the connection in the place of an answer.
    Reset,
    /// It answers with something that is no HTTP.
    NoHttp,
    /// It answers 500 with a text of 10 MB.
    Endless,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The first line and the headers.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Request {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

/// The receiver; ends when dropped.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    requests: mpsc::UnboundedReceiver<Request>,
    script: Arc<Mutex<VecDeque<Play>>>,
    certificates: TempDir,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// One without TLS that does this, and then takes everything.
    pub(crate) async fn plain(script: &[Play]) -> Self {
        Self::start(script, None, 0).await
    }

    /// The same on this port, taking everything.
    pub(crate) async fn plain_at(port: u16) -> Self {
        Self::start(&[], None, port).await
    }

    /// One with TLS and a certificate for this name, by an authority of its own.
    pub(crate) async fn tls(script: &[Play], name: &str) -> Self {
        Self::start(script, Some(name), 0).await
    }

    async fn start(script: &[Play], name: Option<&str>, port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let certificates = TempDir::new().unwrap();
        let acceptor = name.map(|name| acceptor(name, &certificates));
        let script = Arc::new(Mutex::new(script.iter().cloned().collect::<VecDeque<_>>()));
        let (sender, requests) = mpsc::unbounded_channel();
        let plays = Arc::clone(&script);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let play = plays.lock().unwrap().pop_front().unwrap_or(Play::Take);
                tokio::spawn(serve(stream, acceptor.clone(), play, sender.clone()));
            }
        });
        Self { port, requests, script, certificates, task }
    }

    /// From now on it does this, and then takes everything.
    pub(crate) fn plays(&self, script: &[Play]) {
        *self.script.lock().unwrap() = script.iter().cloned().collect();
    }

    /// Its authority.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.certificates.path().join("ca.pem")
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Request {
        timeout(LIMIT, self.requests.recv()).await.expect("nobody asks the receiver").unwrap()
    }

    /// Every request that was not looked at yet.
    pub(crate) fn everything(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }

    /// Whether a request came that was not looked at yet.
    pub(crate) fn was_asked(&mut self) -> bool {
        self.requests.try_recv().is_ok()
    }
}

fn acceptor(name: &str, dir: &TempDir) -> TlsAcceptor {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(dir.path().join("ca.pem"), authority.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(stream: TcpStream, acceptor: Option<TlsAcceptor>, play: Play, requests: mpsc::UnboundedSender<Request>) {
    if let Play::HangAtOnce = play {
        hang(stream).await;
    } else if let Play::Reset = play {
        let mut stream = stream;
        let _ = stream.read(&mut [0; 1]).await;
        // Closed with what is unread, and with no wait for the other side: a reset.
        set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    } else if let Some(acceptor) = acceptor {
        // Where the other side does not trust it, there is no request.
        if let Ok(stream) = acceptor.accept(stream).await {
            talk(stream, play, requests).await;
        }
    } else {
        talk(stream, play, requests).await;
    }
}

/// Until the other side goes.
async fn hang(mut stream: impl AsyncRead + Unpin) {
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, play: Play, requests: mpsc::UnboundedSender<Request>) {
    let Some(request) = read_request(&mut stream).await else { return };
    let _ = requests.send(request);
    let answer = |status: u16, head: &str, text: &str| {
        format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n{head}\r\n{text}", text.len())
    };
    let said = match play {
        Play::Take => answer(200, "", "ok"),
        Play::Answer(status, head, text) => answer(status, head, text),
        Play::HangBeforeAnswer | Play::HangAtOnce | Play::Reset => return hang(stream).await,
        Play::HangInAnswer => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-").await;
            return hang(stream).await;
        }
        Play::NoHttp => "220 mail.example.com ESMTP\r\n".to_owned(),
        Play::Endless => answer(500, "", &"x".repeat(10_000_000)),
    };
    // Who has read enough goes.
    let _ = stream.write_all(said.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Some(Request { head, body: String::from_utf8_lossy(&bytes[end + 4..]).into_owned() });
            }
        }
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
    }
}

/// A port on which connections are neither taken nor refused, for as long as what is given with it lives.
pub(crate) async fn full_port() -> (u16, impl Sized) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    (address.port(), (listener, waiting))
}

/// A port that nobody listens on.
pub(crate) async fn closed_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port()
}

//! One POST over HTTP/1.1 to a web server of the host's own network, and its answer.
//!
//! No redirect is followed, no proxy is used, no cookie is kept; TLS is verified by a `ca_file` or the system's roots,
//! for the name in the URL. An error says the server, the step and what came of it, and never the path, the query or a
//! header: any of these may be a secret. Whoever asks sets the deadline and decides what a status means.

mod answer;
mod connect;
mod post;

pub(crate) use answer::{Answer, Secrets};
pub(crate) use post::{Post, post};

/// Where a request stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Its name was looked up.
    Name,
    /// It was connected to.
    Connection,
    /// TLS was agreed on.
    Tls,
    /// It was asked.
    Request,
    /// Its answer was read.
    Answer,
}

impl Step {
    /// Its name in an error.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Connection => "connection",
            Self::Tls => "TLS",
            Self::Request => "request",
            Self::Answer => "answer",
        }
    }
}

/// Why there is no answer. One line, without a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{server}: {}: {why}", step.as_str())]
pub(crate) struct WebError {
    /// Host and port.
    pub(crate) server: String,
    /// Where it stopped.
    pub(crate) step: Step,
    /// What happened.
    pub(crate) why: String,
    /// The prober's own files are at fault: trying again soon is pointless.
    pub(crate) permanent: bool,
}

impl WebError {
    fn new(server: &impl ToString, step: Step, why: impl Into<String>) -> Self {
        Self { server: server.to_string(), step, why: why.into(), permanent: false }
    }
}

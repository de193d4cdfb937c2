//! URLs of web servers as they are written. Pure. Their paths and queries may be secrets: neither is ever shown.

use std::fmt;

use hyper::Uri;

use super::address::split_host_port;

/// An `http` or `https` URL. Its `Debug` and `Display` show the server alone.
#[derive(Clone, PartialEq, Eq)]
pub struct WebUrl {
    /// `https`.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path with query; begins with a slash.
    pub path: String,
}

/// Why a text is no URL of a web server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebUrlFault {
    /// It has a user name or password in it.
    Credentials,
    /// It is something else.
    NotOne,
}

impl WebUrlFault {
    /// Reads after the name of the thing.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Credentials => "holds a user name or password (not shown): leave it out of the URL",
            Self::NotOne => "is not a URL of a web page (not shown)",
        }
    }
}

impl WebUrl {
    /// Reads `https://host:port/path?query`.
    pub fn parse(text: &str) -> Result<Self, WebUrlFault> {
        if text.split(['/', '?', '#']).nth(2).is_some_and(|authority| authority.contains('@')) {
            return Err(WebUrlFault::Credentials);
        }
        let uri = text.parse::<Uri>().map_err(|_| WebUrlFault::NotOne)?;
        let read = || {
            let tls = match uri.scheme_str()? {
                "https" => true,
                "http" => false,
                _ => return None,
            };
            let (host, port) = split_host_port(uri.authority()?.as_str())?;
            let path = uri.path_and_query()?.as_str().to_owned();
            Some(Self { tls, host: host.to_owned(), port: port.unwrap_or(usual_port(tls)), path })
        };
        read().ok_or(WebUrlFault::NotOne)
    }

    /// Host and port as they stand in a URL: the port is left out where it is the usual one.
    pub fn authority(&self) -> String {
        authority(&self.host, self.port, self.tls)
    }

    /// The URL of something below this one: `https://am.example.com/prefix` and `/api/v2/alerts`.
    #[must_use]
    pub fn below(&self, path: &str) -> Self {
        let before = self.path.split('?').next().unwrap_or_default();
        Self { path: format!("{}{path}", before.trim_end_matches('/')), ..self.clone() }
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", bracketed(&self.host), self.port)
    }
}

impl fmt::Debug for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebUrl({self})")
    }
}

/// Host and port as they stand in a URL.
pub(super) fn authority(host: &str, port: u16, tls: bool) -> String {
    let host = bracketed(host);
    if port == usual_port(tls) { host } else { format!("{host}:{port}") }
}

pub(super) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

const fn usual_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_shows_its_server_and_nothing_else() {
        let url = WebUrl::parse("https://hooks.example.com/services/T0/hunter2?key=hunter2").unwrap();
        assert_eq!(url.authority(), "hooks.example.com");
        assert_eq!(format!("{url} {url:?}"), "hooks.example.com:443 WebUrl(hooks.example.com:443)");
        assert_eq!(url.path, "/services/T0/hunter2?key=hunter2");
    }

    #[test]
    fn what_is_no_url_of_a_web_server_is_told_apart() {
        for (text, fault) in [
            ("https://me:hunter2@example.com/", WebUrlFault::Credentials),
            ("ftp://example.com/", WebUrlFault::NotOne),
            ("example.com/hook", WebUrlFault::NotOne),
            ("https://", WebUrlFault::NotOne),
            ("https://example.com/a b", WebUrlFault::NotOne),
        ] {
            assert_eq!(WebUrl::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn a_path_goes_below_the_path_that_is_there() {
        for (base, expected) in [
            ("http://127.0.0.1:9093", "/api/v2/alerts"),
            ("http://127.0.0.1:9093/", "/api/v2/alerts"),
            ("http://127.0.0.1:9093/am/?x=1", "/am/api/v2/alerts"),
        ] {
            assert_eq!(WebUrl::parse(base).unwrap().below("/api/v2/alerts").path, expected);
        }
    }
}

//! What a command may do in the place of a web server.

use super::NONE;
use crate::channels::{channel, send};

pub(super) async fn cell(fault: &str) -> String {
    let (run, words) = match fault {
        "its name does not exist" => (r#"["/nonexistent/notify"]"#, "cannot run the command"),
        "takes the message and says nothing" => (r#"[sh, -c, "cat >/dev/null; sleep 600"]"#, "did not end within 1 s"),
        "resets the connection" => (r#"[sh, -c, "kill -9 $$"]"#, "signal: 9"),
        "answers with 10 MB" => (r#"[sh, -c, "head -c 10000000 /dev/zero >&2; exit 1"]"#, "failed"),
        "5xx" => (r#"[sh, -c, "echo 'no line' >&2; exit 75"]"#, "exit status: 75: no line"),
        // Nobody is connected to.
        "nobody listens"
        | "takes no connection"
        | "says nothing, over TLS"
        | "stops in the middle of its answer"
        | "speaks something else"
        | "400"
        | "404, and shows the URL"
        | "408, 425"
        | "429 with `Retry-After`"
        | "redirects"
        | "has a certificate for another name" => return NONE.into(),
        other => panic!("what is `{other}` to a command?"),
    };
    let result = send(channel(&format!("command: {{ run: {run}, timeout: 1s }}")).as_ref()).await;
    let text = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
    assert!(text.contains(words), "{fault}: {text}");
    super::cell(&result).to_owned()
}

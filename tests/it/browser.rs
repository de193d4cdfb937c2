//! Chromium without a window, spoken to by its own protocol (`DevTools`) through a pipe: no port, no driver, no network.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::house::LIMIT;

/// Works as root and in a container, asks nobody for anything, and finds no name.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND",
];

/// A browser with one page.
pub(crate) struct Browser {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: String,
    asked: u64,
    events: Vec<Value>,
    // Removed when the browser is gone.
    _profile: TempDir,
}

impl Browser {
    /// Starts it, with an empty page.
    pub(crate) async fn start() -> Self {
        let profile = TempDir::new().unwrap();
        // It reads at descriptor 3 and writes at 4.
        let mut process = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "sh", "chromium"])
            .args(FLAGS)
            .arg("--remote-debugging-pipe")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let to = process.stdin.take().unwrap();
        let from = BufReader::new(process.stdout.take().unwrap());
        let session = String::new();
        let mut browser = Self { process, to, from, session, asked: 0, events: Vec::new(), _profile: profile };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" })).await["targetId"].clone();
        let attached = browser.ask("Target.attachToTarget", json!({ "targetId": target, "flatten": true })).await;
        attached["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        for domain in ["Page", "Log", "Runtime", "Network"] {
            browser.ask(&format!("{domain}.enable"), json!({})).await;
        }
        browser
    }

    /// Asks for something, and waits for the answer.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).await.unwrap();
        loop {
            let heard = self.hear().await;
            if heard["id"] == json!(self.asked) {
                assert!(heard["error"].is_null(), "{method}: {heard}");
                return heard["result"].clone();
            }
            self.events.push(heard);
        }
    }

    async fn hear(&mut self) -> Value {
        let mut bytes = Vec::new();
        let heard = timeout(LIMIT, self.from.read_until(0, &mut bytes)).await;
        let length = heard.expect("Chromium says nothing").unwrap();
        assert!(length > 1, "needs chromium: run scripts/test");
        bytes.pop();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Opens a file, and waits until all of it is there.
    pub(crate) async fn open(&mut self, file: &Path) {
        self.events.clear();
        self.ask("Page.navigate", json!({ "url": format!("file://{}", file.display()) })).await;
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let heard = self.hear().await;
            self.events.push(heard);
        }
    }

    /// What the page's console, its policy or its errors said since it was opened.
    pub(crate) fn complaints(&self) -> Vec<&Value> {
        let told = ["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"];
        self.events.iter().filter(|event| told.iter().any(|method| event["method"] == *method)).collect()
    }

    /// What was asked of any server or file since then.
    pub(crate) fn requests(&self) -> Vec<&str> {
        let requests = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        requests.map(|event| event["params"]["request"]["url"].as_str().unwrap()).collect()
    }

    /// A screen of this width, in light or dark.
    pub(crate) async fn look(&mut self, width: u32, scheme: &str) {
        let screen = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", screen).await;
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.ask("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// The value of an expression in the page.
    pub(crate) async fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true });
        let answer = self.ask("Runtime.evaluate", asked).await;
        assert!(answer["exceptionDetails"].is_null(), "{answer}");
        answer["result"]["value"].clone()
    }

    /// Ends it.
    pub(crate) async fn close(mut self) {
        self.ask("Browser.close", json!({})).await;
        timeout(LIMIT, self.process.wait()).await.expect("Chromium does not end").unwrap();
    }
}

/// Prints a file as a user does: `--print-to-pdf`.
pub(crate) async fn print(file: &Path, pdf: &Path) {
    let profile = TempDir::new().unwrap();
    let mut command = Command::new("chromium");
    command
        .args(FLAGS)
        .args(["--no-pdf-header-footer", &format!("--user-data-dir={}", profile.path().display())])
        .arg(format!("--print-to-pdf={}", pdf.display()))
        .arg(format!("file://{}", file.display()))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(LIMIT, command.output()).await.expect("Chromium does not end");
    let output = output.unwrap_or_else(|e| panic!("needs chromium: run scripts/test: {e}"));
    assert!(output.status.success() && pdf.exists(), "{output:?}");
}

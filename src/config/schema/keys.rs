//! What each key holds: one line a key, in the order of `config::keys`.

use super::shape::Shape::{
    self, Block, Choice, Client, Command, Duration, Flag, Integer, Interface, List, Names, Number, Password, Pattern,
    Reason, Regex, Text, True, Values, Words, Zone,
};

/// A key of a block.
pub(in crate::config) struct Described {
    /// The block, as in `config::keys::BLOCKS`.
    pub(in crate::config) block: &'static str,
    /// The key.
    pub(in crate::config) name: &'static str,
    /// What it holds.
    pub(super) shape: Shape,
    /// What counts where it is left out, as JSON; empty where that is more than a value.
    pub(in crate::config) default: &'static str,
    /// What it means.
    pub(super) about: &'static str,
}

const fn key(
    block: &'static str,
    name: &'static str,
    shape: Shape,
    default: &'static str,
    about: &'static str,
) -> Described {
    Described { block, name, shape, default, about }
}

const HOST: Shape = Pattern(r"^[^\s/@]+$", "a host name or an IP address");
const MAIL: Shape = Pattern("[^@]@[^@]", "a mail address");
const ADDRESS: Shape = Pattern("^[0-9A-Fa-f:.]+$", "an IP address: no name is resolved while the tunnel is up");
const PLAIN: Shape = Pattern("^[^/]+$", "a name without a slash");
const PROGRAM: Shape = Pattern(r"^\S+$", "one program; its arguments go into `args`");
const VARIABLE: Shape = Pattern("^[^= ]+$", "the name of an environment variable");
const ENDPOINT: Shape = Pattern(r"^[^\s/@]+:[0-9]+$", "host:port");
const RESOLVER: Shape = Pattern(r"^[0-9A-Fa-f:.\[\]]+$", "the address of a resolver, with or without a port");
const URL: Shape = Pattern("^[Hh][Tt][Tt][Pp][Ss]?://", "a URL of a web page");
const STATUS: Shape = Pattern("^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$", "a status code, or `200-299`");
const NAME: Shape = Pattern("^[A-Za-z0-9_-]+$", "the name of one of `params`");
const FINGERPRINT: Shape = Pattern(
    r"^\s*(pin-sha256:[A-Za-z0-9+/=]{44}|-*[Ss]-*[Hh]-*[Aa]-*(1|2-*5-*6)-*\s*[:=\[][0-9A-Fa-f:]+\]?)\s*$",
    "`SHA1:AA:BB:…`, `SHA256:AA:BB:…` or `pin-sha256:BASE64`",
);
const MOMENT: Shape = Pattern(
    r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?\s*([Zz]|[+-][0-9]{2}:[0-9]{2})?\s*$",
    "a date and a time: 2026-11-22T02:00, or with an offset 2026-11-22T02:00+01:00",
);
const WEEKLY: Shape = Pattern(r"^\s*[A-Za-z]+\s+[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?\s*$", "a day and a time: Sun 02:00");
const MONTHLY: Shape =
    Pattern(r"^\s*[0-9]{1,2}\s+[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?\s*$", "a day of the month and a time: 1 07:00");
const HOURS: Shape = Pattern(
    r"^\s*([Aa][Ll][Ww][Aa][Yy][Ss]|([A-Za-z]+\s*(-\s*[A-Za-z]+\s*)?[0-9]{1,2}:[0-9]{2}\s*-\s*[0-9]{1,2}:[0-9]{2}\s*(,\s*|$))+)\s*$",
    "hours of the week: Mon-Fri 07:00-19:00, Sat 08:00-12:00, or always",
);
const SPEAKS: Shape = Choice(&["tls", "tcp", "none"]);
const FREQUENCY: Shape = Duration(1.0, 2_678_400.0);
const MONTH: f64 = 2_592_000.0;

/// Every key.
#[rustfmt::skip]
pub(in crate::config) const KEYS: &[Described] = &[
    key("top", "frequency", FREQUENCY, "\"10m\"", "Start of one pass to the start of the next; also per site."),
    key("top", "timezone", Zone, "\"UTC\"", "IANA time zone of row times, day files and reports."),
    key("top", "prober", Text, "", "This prober's name. Left out: the host's name."),
    key("top", "state_dir", Text, "", "What survives a restart. Left out: $STATE_DIRECTORY, else ./state."),
    key("top", "logging", Block("logging"), "", "Where results go: day files and mail."),
    key("top", "defaults", Block("site"), "", "Any key of a site: it counts where the site does not say otherwise."),
    key("top", "sites", Names("site"), "", "What is probed, by name."),
    key("top", "alerts", Block("alerts"), "", "When people are told; each site may have its own."),
    key("top", "clients", Names("profile"), "", "Client profiles of one's own; startct and openconnect are built in."),
    key("top", "resolv_conf", Block("resolv_conf"), "", "resolv.conf and how it is repaired after a login."),
    key("top", "ipsec", Block("ipsec"), "", "Where strongSwan is asked."),
    key("top", "maintenance", List(&Block("maintenance")), "", "Windows of planned work, once or weekly."),
    key("top", "uplink", Block("uplink"), "", "How the prober's own way out is looked at."),
    key("top", "sla", Block("sla"), "", "What is promised, for reports."),
    key("top", "report", Block("report"), "", "Reports that `run` sends by mail."),
    key("logging", "dir", Text, "\"results\"", "Directory of the day files; created if missing."),
    key("logging", "file", PLAIN, "\"results\"", "First part of their names: results_2026-11-20.csv."),
    key("logging", "email", Block("email"), "", "How mail is sent. Left out: no mail."),
    key("email", "server", HOST, "", "Host name or address of the mail server; its port goes into `port`."),
    key("email", "from", MAIL, "", "The sender."),
    key("email", "to", List(&MAIL), "", "The recipients."),
    key("email", "port", Integer(1, 65_535), "", "Left out: 25; 587 with starttls or a password, 465 with tls."),
    key("email", "tls", Choice(&["starttls", "tls", "none"]), "", "Left out: STARTTLS if offered, always with a password."),
    key("email", "username", Text, "", "User name at the mail server; needs a password beside it."),
    key("email", "password", Password, "", "The password in place: then chmod 600 the file."),
    key("email", "password_file", Text, "", "File with the password, closed to group and others."),
    key("email", "password_env", VARIABLE, "", "Environment variable with the password."),
    key("email", "password_command", Command, "", "Program that prints the password; no shell, 10 s at most."),
    key("email", "password_credential", PLAIN, "", "systemd credential with the password."),
    key("email", "ca_file", Text, "", "Certificate authority of the mail server, PEM. Left out: the system's roots."),
    key("site", "kind", Choice(&["ssl-vpn", "ipsec"]), "\"ssl-vpn\"", "What is probed."),
    key("site", "vpn_gw", HOST, "", "The gateway: host or host:port."),
    key("site", "external_ip", HOST, "", "Pinged from outside. Left out, the stage is left out."),
    key("site", "external_required", Flag, "true", "false: its failure is reported, but does not make the site down."),
    key("site", "internal_ip", ADDRESS, "", "Pinged through the tunnel. Left out, nothing proves that it carries anything."),
    key("site", "realm", Text, "", "Login group, where the gateway has several."),
    key("site", "username", Text, "", "The test account."),
    key("site", "password", Password, "", "The password in place: then chmod 600 the file."),
    key("site", "password_file", Text, "", "File with the password, closed to group and others."),
    key("site", "password_env", VARIABLE, "", "Environment variable with the password."),
    key("site", "password_command", Command, "", "Program that prints the password; no shell, 10 s at most."),
    key("site", "password_credential", PLAIN, "", "systemd credential with the password."),
    key("site", "otp_secret", Password, "", "The secret of one-time codes (RFC 6238), base32 or otpauth://, in place: then chmod 600 the file."),
    key("site", "otp_secret_file", Text, "", "File with it, closed to group and others."),
    key("site", "otp_secret_env", VARIABLE, "", "Environment variable with it."),
    key("site", "otp_secret_command", Command, "", "Program that prints it; no shell, 10 s at most."),
    key("site", "otp_secret_credential", PLAIN, "", "systemd credential with it."),
    key("site", "key_passphrase", Password, "", "What opens the private key of the client's certificate, in place: then chmod 600 the file."),
    key("site", "key_passphrase_file", Text, "", "File with it, closed to group and others."),
    key("site", "key_passphrase_env", VARIABLE, "", "Environment variable with it."),
    key("site", "key_passphrase_command", Command, "", "Program that prints it; no shell, 10 s at most."),
    key("site", "key_passphrase_credential", PLAIN, "", "systemd credential with it."),
    key("site", "timeout", Duration(1.0, 3_600.0), "60", "For the whole login."),
    key("site", "client", Client, "\"startct\"", "A built-in client profile or one of `clients`."),
    key("site", "client_args", List(&Text), "[]", "Added to the profile's own arguments."),
    key("site", "fingerprint", List(&FINGERPRINT), "", "The certificates that may be accepted when the client asks."),
    key("site", "ca_file", Text, "", "Whom the gateway's certificate chain may end at, PEM; also for checks by https."),
    key("site", "gateway", Block("gateway"), "", "How the gateway is looked at before the login."),
    key("site", "checks", List(&Block("check")), "", "What else must answer through the tunnel, one after the other."),
    key("site", "group", Text, "", "For reports."),
    key("site", "frequency", FREQUENCY, "", "Start to start for this site. Left out: the file's `frequency`."),
    key("site", "frequency_down", FREQUENCY, "", "Start to start after a down cycle. Left out: as `frequency`."),
    key("site", "ping", Block("ping"), "", "How to ping."),
    key("site", "params", Values, "", "Fields in braces that the client's profile asks for beside the site's own keys."),
    key("site", "alerts", Block("alerts"), "", "When people are told about this site."),
    key("site", "child_sa", Text, "", "kind: ipsec: the name of the CHILD_SA configuration."),
    key("site", "ike_sa", Text, "", "Its connection, where two have a child of this name."),
    key("site", "restart", Block("restart"), "", "When and how a fallen tunnel is brought back."),
    key("site", "watch", Flag, "false", "true: an event of strongSwan begins a cycle at once."),
    key("restart", "enabled", Flag, "true", "false: it is only watched."),
    key("restart", "grace", Duration(0.0, 3_600.0), "\"45s\"", "How long strongSwan's own recovery is left alone."),
    key("restart", "max_retries", Integer(1, 100), "3", "Attempts at bringing it up."),
    key("restart", "retry_delay", Duration(0.1, 600.0), "\"2s\"", "Before the second attempt; doubled before each further one."),
    key("restart", "max_per_hour", Integer(0, 1_000), "3", "Restarts within an hour; 0: none."),
    key("ipsec", "socket", Text, "\"/var/run/charon.vici\"", "strongSwan's VICI socket: a path, or tcp://127.0.0.1:4502."),
    key("ping", "count", Integer(1, 1_000), "5", "Echo requests in a series."),
    key("ping", "interval", Duration(0.01, 60.0), "\"200ms\"", "From one to the next."),
    key("ping", "timeout", Duration(0.01, 60.0), "\"2s\"", "How long a reply may take."),
    key("ping", "max_loss_pct", Number(0.0, 100.0), "80", "More loss than this fails the stage."),
    key("ping", "mtu", Flag, "true", "Whether a packet as large as the tunnel takes must be answered too."),
    key("gateway", "verify", Flag, "", "true: by the system's roots; false: the certificate is only reported."),
    key("gateway", "speaks", SPEAKS, "", "What the gateway speaks; none: no stage. Left out: as the client's profile says."),
    key("gateway", "timeout", Duration(0.1, 60.0), "\"10s\"", "For the whole stage."),
    key("check", "tcp", ENDPOINT, "", "A connection: host:port."),
    key("check", "http", URL, "", "A page: http://host/path or https://host:port/path."),
    key("check", "dns", HOST, "", "A whole name."),
    key("check", "timeout", Duration(0.1, 60.0), "\"5s\"", "For the whole check."),
    key("check", "status", List(&STATUS), "\"200-299\"", "Status codes of a good answer; redirects are not followed."),
    key("check", "contains", Text, "", "Text that a good answer holds. Left out: the page is not read."),
    key("check", "verify", Flag, "true", "Whether the page's certificate must be trusted."),
    key("check", "cert_days", Integer(0, 10_000), "", "Days that its certificate must last at least. Left out: it is only reported."),
    key("check", "answer", List(&ADDRESS), "", "One of these must be in the answer. Left out: any will do."),
    key("check", "type", Choice(&["A", "AAAA"]), "\"A\"", "What is asked for."),
    key("check", "server", RESOLVER, "", "Whom to ask. Left out: the resolvers that the client pushes."),
    key("alerts", "after", Integer(1, 1_000), "2", "Down cycles in a row."),
    key("alerts", "resolve_after", Integer(1, 1_000), "1", "Up cycles in a row until it is over."),
    key("alerts", "reminder", Duration(0.0, MONTH), "\"4h\"", "Said again while it lasts; 0: never."),
    key("alerts", "blind_after", Duration(1.0, MONTH), "\"30m\"", "Unknown for so long: the prober itself is blind."),
    key("resolv_conf", "path", Text, "\"/etc/resolv.conf\"", "The file."),
    key("resolv_conf", "restore_command", Command, "", "Puts it right. Left out: the known good copy is written back."),
    key("maintenance", "name", Text, "", "What the rows of cycles in it say. Left out: yes."),
    key("maintenance", "sites", List(&Text), "", "Names of sites, or all."),
    key("maintenance", "start", MOMENT, "", "Its first moment, in `timezone` or with an offset."),
    key("maintenance", "end", MOMENT, "", "The first moment after it."),
    key("maintenance", "weekly", WEEKLY, "", "The day of the week and the local time at which it begins."),
    key("maintenance", "duration", Duration(1.0, 604_800.0), "", "How long a weekly one lasts."),
    key("maintenance", "suppress_alerts", Flag, "true", "People are told nothing; what is still down afterwards is told then."),
    key("maintenance", "exclude_from_sla", Flag, "true", "For reports: its time is not agreed time."),
    key("maintenance", "pause_restarts", Flag, "true", "No IPsec tunnel is restarted."),
    key("uplink", "targets", List(&ADDRESS), "[]", "When none of these answers, the prober's own uplink is down."),
    key("sla", "target", Number(0.0, 100.0), "", "Promised availability, percent, with four decimals at most. Left out: there is no error budget."),
    key("sla", "hours", HOURS, "\"always\"", "When it is promised, by the clock of `timezone`."),
    key("sla", "holidays_file", Text, "", "Days without agreed hours: one date a line, comments behind #."),
    key("sla", "credentials", Choice(&["down", "excluded"]), "\"down\"", "What the time counts as in which the gateway refuses the probe's own account."),
    key("report", "weekly", WEEKLY, "", "The day of the week and the local time at which the report of the week before (Monday to Sunday) is sent."),
    key("report", "monthly", MONTHLY, "", "The day of the month (in a shorter one its last) and the local time at which the report of the month before is sent."),
    key("report", "to", List(&MAIL), "", "The recipients. Left out: those of `logging.email`."),
    key("profile", "extends", Client, "", "Start from this profile: its rules come after one's own."),
    key("profile", "command", PROGRAM, "", "The program; without a slash it is searched in the prober's PATH."),
    key("profile", "args", List(&Words), "", "A group is left out where the site has no value for a field in it."),
    key("profile", "env", Values, "", "Environment beside the prober's own."),
    key("profile", "dialogue", List(&Block("rule")), "", "What may come on the terminal; all awaited at once, in any order."),
    key("profile", "leave", Block("leave"), "", "How the client is asked to leave."),
    key("profile", "adopt", List(&Shape::Or(&Text, "adopt")), "", "Strangers that count as this client's leftovers."),
    key("profile", "interface", Interface, "", "Glob over its interfaces' names. Left out: no proof of the tunnel."),
    key("profile", "gateway", SPEAKS, "\"none\"", "What the stage `gateway` speaks; none: it is left out."),
    key("profile", "paths", List(&NAME), "", "Names of `params` that are paths: relative ones count from the file's directory."),
    key("profile", "login_optional_with", List(&NAME), "", "A site that has one of these `params` may have no password."),
    key("rule", "expect", Regex, "", "Regular expression on the terminal's text, escape sequences removed."),
    key("rule", "send", Shape::Line, "", "A line to type, fields in braces; {password} and {otp} are allowed here alone."),
    key("rule", "max", Integer(1, 100), "", "Typed so often at most; then the reason `then`."),
    key("rule", "then", Reason, "", "The reason when asked once more than `max`."),
    key("rule", "hidden", Flag, "false", "Typed only while the client has the terminal's echo off."),
    key("rule", "may_hide", Flag, "false", "The client may switch the echo off right after the question: typed then, else a moment later."),
    key("rule", "again", Flag, "false", "The client asks again at random: typed a second time when nothing looks like a refusal."),
    key("rule", "failed", Reason, "", "The login failed for this reason."),
    key("rule", "connected", True, "", "The client says that the tunnel is up."),
    key("leave", "send", Shape::Line, "", "A line to type."),
    key("leave", "signal", Choice(&["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"]), "", "A signal to the client."),
    key("leave", "grace", Duration(0.0, 600.0), "\"10s\"", "How long its whole process tree may take; then TERM, then KILL."),
    key("adopt", "name", Text, "", "The process's name."),
    key("adopt", "arg", Text, "", "Text that one of its arguments must contain."),
];

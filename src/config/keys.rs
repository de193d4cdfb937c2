//! Every key of the configuration: which are known, which belong to the public interface but are not built yet, and
//! which hold secrets.

/// The keys of one mapping.
#[derive(Debug)]
pub(super) struct Keys {
    /// What this version does.
    pub(super) known: &'static [&'static str],
    /// Of the public interface, but not in this version: accepting one silently would promise what is not done.
    pub(super) later: &'static [&'static str],
}

/// The file itself.
pub(super) const TOP: Keys = Keys {
    known: &[
        "frequency",
        "timezone",
        "prober",
        "state_dir",
        "logging",
        "defaults",
        "sites",
        "alerts",
        "clients",
        "resolv_conf",
        "ipsec",
        "maintenance",
        "uplink",
        "sla",
        "report",
    ],
    later: &["http", "hub", "report_to"],
};

/// `logging`.
pub(super) const LOGGING: Keys = Keys { known: &["dir", "file", "email"], later: &[] };

/// `logging.email`.
pub(super) const EMAIL: Keys = Keys {
    known: &[
        "server",
        "from",
        "to",
        "port",
        "tls",
        "username",
        "password",
        "password_file",
        "password_env",
        "password_command",
        "password_credential",
        "ca_file",
    ],
    later: &[],
};

/// A site, and `defaults`.
pub(super) const SITE: Keys = Keys {
    known: &[
        "kind",
        "vpn_gw",
        "external_ip",
        "external_required",
        "internal_ip",
        "realm",
        "username",
        "password",
        "password_file",
        "password_env",
        "password_command",
        "password_credential",
        "otp_secret",
        "otp_secret_file",
        "otp_secret_env",
        "otp_secret_command",
        "otp_secret_credential",
        "key_passphrase",
        "key_passphrase_file",
        "key_passphrase_env",
        "key_passphrase_command",
        "key_passphrase_credential",
        "timeout",
        "client",
        "client_args",
        "fingerprint",
        "ca_file",
        "gateway",
        "checks",
        "group",
        "frequency",
        "frequency_down",
        "ping",
        "params",
        "alerts",
        "child_sa",
        "ike_sa",
        "restart",
        "watch",
    ],
    later: &["expect"],
};

/// Keys of a site that only a login has.
pub(super) const OF_SSL_VPN: [&str; 8] =
    ["vpn_gw", "realm", "username", "timeout", "client", "client_args", "fingerprint", "params"];

/// Keys of a site that only an IPsec tunnel has.
pub(super) const OF_IPSEC: [&str; 4] = ["child_sa", "ike_sa", "restart", "watch"];

/// A site's `restart`.
pub(super) const RESTART: Keys =
    Keys { known: &["enabled", "grace", "max_retries", "retry_delay", "max_per_hour"], later: &[] };

/// `ipsec`.
pub(super) const IPSEC: Keys = Keys { known: &["socket"], later: &[] };

/// `ping`.
pub(super) const PING: Keys = Keys { known: &["count", "interval", "timeout", "max_loss_pct", "mtu"], later: &[] };

/// A site's `gateway`.
pub(super) const GATEWAY: Keys = Keys { known: &["verify", "speaks", "timeout"], later: &[] };

/// A line of a site's `checks`.
pub(super) const CHECK: Keys = Keys {
    known: &["tcp", "http", "dns", "timeout", "status", "contains", "verify", "cert_days", "answer", "type", "server"],
    later: &[],
};

/// `alerts`, of the file, of `defaults` and of a site; `channels` of the file alone.
pub(super) const ALERTS: Keys =
    Keys { known: &["after", "resolve_after", "reminder", "blind_after", "channels"], later: &[] };

/// A channel of `alerts.channels`.
pub(super) const CHANNEL: Keys = Keys {
    known: &["webhook", "alertmanager", "telegram", "slack", "teams", "command", "sites", "severity", "fallback"],
    later: &[],
};

/// Keys of a channel of which it has exactly one.
pub(super) const CHANNEL_KINDS: [&str; 6] = ["webhook", "alertmanager", "telegram", "slack", "teams", "command"];

/// A channel's `webhook`.
pub(super) const WEBHOOK: Keys = Keys {
    known: &[
        "url",
        "url_file",
        "url_env",
        "url_command",
        "url_credential",
        "format",
        "template",
        "template_file",
        "headers",
        "ca_file",
        "timeout",
    ],
    later: &[],
};

/// A channel's `alertmanager`.
pub(super) const ALERTMANAGER: Keys = Keys {
    known: &[
        "url",
        "url_file",
        "url_env",
        "url_command",
        "url_credential",
        "username",
        "password",
        "password_file",
        "password_env",
        "password_command",
        "password_credential",
        "repeat",
        "ca_file",
        "timeout",
    ],
    later: &[],
};

/// A channel's `telegram`.
pub(super) const TELEGRAM: Keys = Keys {
    known: &[
        "token",
        "token_file",
        "token_env",
        "token_command",
        "token_credential",
        "chat_id",
        "api",
        "ca_file",
        "timeout",
    ],
    later: &[],
};

/// A channel's `slack` or `teams`.
pub(super) const HOOK: Keys =
    Keys { known: &["url", "url_file", "url_env", "url_command", "url_credential", "ca_file", "timeout"], later: &[] };

/// A channel's `command`.
pub(super) const NOTIFY_COMMAND: Keys = Keys { known: &["run", "timeout"], later: &[] };

/// A channel's `fallback`.
pub(super) const FALLBACK: Keys = Keys { known: &["channel", "after"], later: &[] };

/// `resolv_conf`.
pub(super) const RESOLV_CONF: Keys = Keys { known: &["path", "restore_command"], later: &[] };

/// A window of `maintenance`.
pub(super) const MAINTENANCE: Keys = Keys {
    known: &[
        "name",
        "sites",
        "start",
        "end",
        "weekly",
        "duration",
        "suppress_alerts",
        "exclude_from_sla",
        "pause_restarts",
    ],
    later: &[],
};

/// `uplink`.
pub(super) const UPLINK: Keys = Keys { known: &["targets"], later: &[] };

/// `sla`.
pub(super) const SLA: Keys = Keys { known: &["target", "hours", "holidays_file", "credentials"], later: &[] };

/// `report`.
pub(super) const REPORT: Keys = Keys { known: &["weekly", "monthly", "to"], later: &[] };

/// A profile under `clients`.
pub(super) const PROFILE: Keys = Keys {
    known: &[
        "extends",
        "command",
        "args",
        "env",
        "dialogue",
        "leave",
        "adopt",
        "interface",
        "gateway",
        "paths",
        "login_optional_with",
    ],
    later: &[],
};

/// A line of a profile's `dialogue`.
pub(super) const RULE: Keys = Keys {
    known: &["expect", "send", "max", "then", "hidden", "may_hide", "again", "failed", "connected"],
    later: &[],
};

/// A profile's `leave`.
pub(super) const LEAVE: Keys = Keys { known: &["send", "signal", "grace"], later: &[] };

/// A line of a profile's `adopt`.
pub(super) const ADOPT: Keys = Keys { known: &["name", "arg"], later: &[] };

/// Keys of a site that say where its password comes from.
pub(super) const PASSWORD: [&str; 5] =
    ["password", "password_file", "password_env", "password_command", "password_credential"];

/// Keys of a site that say where the secret of its one-time codes comes from.
pub(super) const OTP_SECRET: [&str; 5] =
    ["otp_secret", "otp_secret_file", "otp_secret_env", "otp_secret_command", "otp_secret_credential"];

/// Keys of a site that say where the passphrase of its client's private key comes from.
pub(super) const KEY_PASSPHRASE: [&str; 5] = [
    "key_passphrase",
    "key_passphrase_file",
    "key_passphrase_env",
    "key_passphrase_command",
    "key_passphrase_credential",
];

/// Keys of a channel that say where its URL comes from, which may let anybody write there.
pub(super) const URL: [&str; 5] = ["url", "url_file", "url_env", "url_command", "url_credential"];

/// Keys of a channel that say where its token comes from.
pub(super) const TOKEN: [&str; 5] = ["token", "token_file", "token_env", "token_command", "token_credential"];

/// Whether a key of this name holds a secret: neither its value nor anything under it may ever be shown. Wider than the
/// known keys, as a misspelt one holds a secret too.
pub(super) fn holds_secret(key: &str) -> bool {
    const MARKS: [&str; 5] = ["pass", "secret", "token", "pwd", "credential"];
    let key = key.to_lowercase();
    MARKS.iter().any(|mark| key.contains(mark)) || matches!(key.as_str(), "key" | "pin")
}

/// Whether the keys of the mapping at this path are names that the user chose: a site may be called `passau`.
pub(super) fn names_things(path: &str) -> bool {
    matches!(path, "sites" | "clients" | "alerts.channels")
}

/// Whether values under this key of the mapping at this path are not shown: beside the secrets also what a user may put
/// one into.
pub(super) fn hides_value(path: &str, key: &str) -> bool {
    // It says what refused credentials count as, in one of two words.
    let is_word = (path, key) == ("sla", "credentials");
    let of_channel = path.starts_with("alerts.channels.")
        && (key.to_lowercase().contains("url") || matches!(key, "headers" | "template" | "api"));
    of_channel || (holds_secret(key) && !is_word) || matches!(key, "params" | "env" | "send" | "client_args")
}

/// Every block, by the name of its definition in the schema.
pub(super) const BLOCKS: [(&str, &Keys); 26] = [
    ("top", &TOP),
    ("logging", &LOGGING),
    ("email", &EMAIL),
    ("site", &SITE),
    ("ping", &PING),
    ("gateway", &GATEWAY),
    ("check", &CHECK),
    ("alerts", &ALERTS),
    ("channel", &CHANNEL),
    ("webhook", &WEBHOOK),
    ("alertmanager", &ALERTMANAGER),
    ("telegram", &TELEGRAM),
    ("hook", &HOOK),
    ("notify_command", &NOTIFY_COMMAND),
    ("fallback", &FALLBACK),
    ("resolv_conf", &RESOLV_CONF),
    ("restart", &RESTART),
    ("ipsec", &IPSEC),
    ("maintenance", &MAINTENANCE),
    ("uplink", &UPLINK),
    ("sla", &SLA),
    ("report", &REPORT),
    ("profile", &PROFILE),
    ("rule", &RULE),
    ("leave", &LEAVE),
    ("adopt", &ADOPT),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_password_key_is_known_and_counts_as_a_secret() {
        for key in PASSWORD {
            assert!(SITE.known.contains(&key) && EMAIL.known.contains(&key) && holds_secret(key), "{key}");
        }
        for key in OTP_SECRET {
            assert!(SITE.known.contains(&key) && holds_secret(key), "{key}");
        }
        for key in KEY_PASSPHRASE {
            assert!(SITE.known.contains(&key) && holds_secret(key), "{key}");
        }
        assert!(!holds_secret("timeout"));
    }

    #[test]
    fn no_key_is_both_done_and_not_done() {
        for (name, keys) in BLOCKS {
            assert!(keys.later.iter().all(|key| !keys.known.contains(key)), "{name}");
        }
    }
}

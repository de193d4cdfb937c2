//! The schema and the loader say the same. That the schema accepts and refuses what it should is tested with a validator,
//! in `tests/it/schema.rs`.

use serde_json::{Value, json};

use super::support::named;
use crate::config::keys::BLOCKS;
use crate::config::schema::{KEYS, schema};

#[test]
fn every_known_key_is_described_and_no_other() {
    let described: Vec<_> = KEYS.iter().map(|key| (key.block, key.name)).collect();
    for (block, keys) in BLOCKS {
        for key in keys.known {
            let lines = described.iter().filter(|line| **line == (block, key)).count();
            assert_eq!(lines, 1, "`{key}` of `{block}` needs one line in src/config/schema/keys.rs");
        }
    }
    for (block, name) in described {
        let known = BLOCKS.iter().any(|(of, keys)| *of == block && keys.known.contains(&name));
        assert!(known, "`{name}` of `{block}` is described in src/config/schema/keys.rs, but not known");
    }
}

#[test]
fn an_editor_refuses_unknown_keys_in_every_block() {
    let schema = schema();
    let blocks = schema["definitions"].as_object().unwrap().values().chain([&schema]);
    assert!(
        blocks.clone().count() == BLOCKS.len() && blocks.clone().all(|b| b["additionalProperties"] == json!(false))
    );
}

/// A configuration in which every block stands, each at the path of its definition.
fn base() -> Value {
    json!({
        "logging": { "email": { "server": "mx", "from": "a@b.example", "to": "c@d.example" } },
        "alerts": { "channels": {
            "hook": { "webhook": { "url": "https://a.example/" }, "fallback": { "channel": "am" } },
            "am": { "alertmanager": { "url": "http://a.example/" } },
            "chat": { "telegram": { "token": "x", "chat_id": "1" } },
            "team": { "slack": { "url": "https://b.example/" } },
            "script": { "command": { "run": ["x"] } } } }, "resolv_conf": {}, "ipsec": {}, "uplink": {}, "sla": {},
        "maintenance": [{ "sites": "all", "weekly": "Sun 02:00", "duration": "2h" }, { "sites": "a", "start": "2026-11-22T02:00", "end": "2026-11-22T04:00" }],
        "clients": { "mine": { "command": "x", "leave": {}, "interface": "tun*",
            "dialogue": [{ "expect": "up", "connected": true }, { "expect": "x", "send": "y" }] } },
        "sites": { "a": { "vpn_gw": "gw", "internal_ip": "10.0.0.1", "username": "u", "password_env": "PW",
            "ping": {}, "gateway": {},
            "checks": [{ "http": "https://a.example/" }, { "dns": "a.example" }] },
            "t": { "kind": "ipsec", "child_sa": "t", "internal_ip": "10.0.0.2", "restart": {} } },
    })
}

#[test]
fn a_default_in_the_schema_is_what_counts_where_the_key_is_left_out() {
    let loaded = |value: &Value| format!("{:#?}", named("c.json", &value.to_string()).unwrap().config);
    let expected = loaded(&base());
    let mut count = 0;
    for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
        let place = match key.block {
            "top" => "",
            "logging" => "/logging",
            "site" if key.name == "watch" => "/sites/t",
            "site" => "/sites/a",
            "restart" => "/sites/t/restart",
            "ipsec" => "/ipsec",
            "ping" => "/sites/a/ping",
            "gateway" => "/sites/a/gateway",
            "check" if key.name == "type" => "/sites/a/checks/1",
            "check" => "/sites/a/checks/0",
            "rule" => "/clients/mine/dialogue/1",
            "alerts" => "/alerts",
            "channel" => "/alerts/channels/hook",
            "webhook" => "/alerts/channels/hook/webhook",
            "alertmanager" => "/alerts/channels/am/alertmanager",
            "telegram" => "/alerts/channels/chat/telegram",
            "hook" => "/alerts/channels/team/slack",
            "notify_command" => "/alerts/channels/script/command",
            "fallback" => "/alerts/channels/hook/fallback",
            "resolv_conf" => "/resolv_conf",
            "maintenance" => "/maintenance/0",
            "uplink" => "/uplink",
            "sla" => "/sla",
            "profile" => "/clients/mine",
            "leave" => "/clients/mine/leave",
            other => panic!("where is `{other}`?"),
        };
        let mut with = base();
        with.pointer_mut(place).unwrap()[key.name] = serde_json::from_str(key.default).unwrap();
        assert_eq!(loaded(&with), expected, "`{}` of `{}`", key.name, key.block);
        count += 1;
    }
    assert!(count > 15, "{count}");
}

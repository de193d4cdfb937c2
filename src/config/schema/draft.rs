//! The schema as a whole.

use serde_json::{Map, Value, json};

use super::keys::KEYS;
use crate::config::keys::{BLOCKS, Keys};

/// Keys without which a block is faulty, wherever it stands. What a site needs may also stand in `defaults`.
const REQUIRED: [(&str, &[&str]); 7] = [
    ("email", &["server", "from", "to"]),
    ("rule", &["expect"]),
    ("adopt", &["name"]),
    ("maintenance", &["sites"]),
    ("telegram", &["chat_id"]),
    ("notify_command", &["run"]),
    ("fallback", &["channel"]),
];

/// The JSON Schema of the configuration.
pub fn schema() -> Value {
    let mut definitions: Map<String, Value> =
        BLOCKS.iter().map(|(name, keys)| ((*name).to_owned(), block(name, keys))).collect();
    let mut whole = definitions.remove("top").unwrap_or_default();
    whole["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    whole["title"] = json!("Configuration of vpnprobe");
    whole["$comment"] = json!(concat!("vpnprobe ", env!("CARGO_PKG_VERSION")));
    // An empty file is no configuration; an empty block is an empty one.
    whole["type"] = json!("object");
    whole["definitions"] = Value::Object(definitions);
    whole
}

/// The known keys, and no other.
fn block(name: &str, keys: &Keys) -> Value {
    let properties: Map<String, Value> =
        keys.known.iter().map(|key| ((*key).to_owned(), property(name, key))).collect();
    let mut block = json!({ "type": ["object", "null"], "additionalProperties": false, "properties": properties });
    if let Some((_, required)) = REQUIRED.iter().find(|(of, _)| *of == name) {
        block["required"] = json!(required);
    }
    block
}

fn property(block: &str, name: &str) -> Value {
    // A test names each key that is not described; a configuration with it is not marked.
    let Some(key) = KEYS.iter().find(|key| key.block == block && key.name == name) else { return json!({}) };
    let schema = key.shape.schema();
    // What stands beside a reference is ignored by draft 7.
    let mut property = if schema.get("$ref").is_some() { json!({ "allOf": [schema] }) } else { schema };
    property["description"] = json!(key.about);
    if let Ok(default) = serde_json::from_str::<Value>(key.default) {
        property["default"] = default;
    }
    property
}

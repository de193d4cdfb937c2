//! The block `uplink`.

use std::net::IpAddr;

use super::UplinkConfig;
use super::address::is_host;
use super::fields::Fields;
use super::keys::UPLINK;
use super::value::Value;

/// Reads the block `uplink`.
pub(super) fn read_uplink(top: &Fields<'_>) -> UplinkConfig {
    let Some(value) = top.block("uplink", &UPLINK).get("targets") else { return UplinkConfig::default() };
    UplinkConfig { targets: value.items().iter().filter_map(read_target).collect() }
}

/// An address and no name: without the uplink, none is resolved.
fn read_target(value: &Value<'_>) -> Option<IpAddr> {
    let text = value.text()?;
    let Ok(address) = text.parse::<IpAddr>() else {
        let hint = is_host(text).then(|| "write the address: no name is resolved while the uplink is down".to_owned());
        value.not(text, "is not an IP address", hint);
        return None;
    };
    if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
        value.not(text, "is not the address of another host, so it tells nothing of the uplink", None);
        return None;
    }
    Some(address)
}

//! What the stage `gateway` looks at: a profile's `gateway` and a site's.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::fields::Fields;
use super::keys::GATEWAY;
use super::value::Value;
use super::{GatewayConfig, GatewayProtocol, Profile};

/// For the whole stage: name, TCP and TLS of every address. A gateway that takes longer is no use to anybody.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);

/// What a site's block says, each key by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct GatewayKeys {
    speaks: Option<GatewayProtocol>,
    verify: Option<bool>,
    timeout: Duration,
}

/// Reads the block `gateway` of a site.
pub(super) fn read_gateway_keys(site: &Fields<'_>) -> GatewayKeys {
    let block = site.block("gateway", &GATEWAY);
    GatewayKeys {
        speaks: block.get("speaks").and_then(|value| read_protocol(&value)),
        verify: block.get("verify").and_then(|value| value.flag()),
        timeout: block.duration("timeout", &TIMEOUT).unwrap_or(DEFAULT_TIMEOUT),
    }
}

/// Reads `tls`, `tcp` or `none`.
pub(super) fn read_protocol(value: &Value<'_>) -> Option<GatewayProtocol> {
    value.choice(&[("tls", GatewayProtocol::Tls), ("tcp", GatewayProtocol::Tcp), ("none", GatewayProtocol::None)])
}

impl GatewayKeys {
    /// With what the client's profile says.
    pub(super) fn complete(self, profile: GatewayProtocol) -> GatewayConfig {
        GatewayConfig { speaks: self.speaks.unwrap_or(profile), verify: self.verify, timeout: self.timeout }
    }

    /// `verify: true` that verifies nothing is a false sense of safety.
    pub(super) fn check(self, site: &Fields<'_>, client: Option<&Profile>) {
        let Some(client) = client else { return };
        if self.verify == Some(true) && self.complete(client.gateway).speaks != GatewayProtocol::Tls {
            let hint = "add `speaks: tls` to it, or `gateway: tls` to the client's profile".to_owned();
            site.warn("has `gateway: { verify: true }`, but the stage speaks no TLS: nothing is verified", Some(hint));
        }
    }
}

//! A record as `test --json` prints it: the names are those of the CSV columns, the values have their types.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{CheckRecord, CycleRecord, GatewayFacts, InForce, PingStats, StageRecord};

/// One JSON object. What was not measured is `null`.
pub fn json_of(record: &CycleRecord) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
    put("time", json!(record.time.to_rfc3339_opts(chrono::SecondsFormat::Millis, false)));
    put("site", json!(record.site));
    put("kind", json!(record.kind));
    put("verdict", json!(record.verdict));
    put("failed_stage", json!(record.failed_stage));
    put("reason", json!(record.reason));
    put("fault_domain", json!(record.reason.map(super::Reason::fault_domain)));
    put("detail", json!(record.detail));
    put("external_rtt_ms", rtt(record.external.as_ref())["avg"].clone());
    put("external_rtt", rtt(record.external.as_ref()));
    put("external_loss_pct", json!(record.external.map(|s| s.loss_pct())));
    put("gateway", record.gateway.as_ref().map_or(Value::Null, gateway));
    put("cert_days_left", json!(record.cert_days_left()));
    put("password_days_left", json!(record.password_days_left()));
    put("login_ms", json!(record.login.map(millis)));
    put("internal_rtt_ms", rtt(record.internal.as_ref())["avg"].clone());
    put("internal_rtt", rtt(record.internal.as_ref()));
    put("internal_loss_pct", json!(record.internal.map(|s| s.loss_pct())));
    put("checks", record.checks.iter().map(check).collect());
    put("restarts", json!(record.restarts));
    put("restore_ms", json!(record.restore.map(millis)));
    put("tunnel", json!(record.tunnel));
    put("leftovers", json!(record.leftovers));
    put("cycle_ms", json!(record.took.map(millis)));
    put("interval_s", json!(record.interval.as_secs_f64()));
    put("maintenance", json!(record.maintenance.as_ref().map(InForce::label)));
    put("group", json!(record.group));
    put("prober", json!(record.prober));
    put("cycle_id", json!(record.id));
    put("stages", record.stages.iter().map(stage).collect());
    put("dialogue", json!(record.dialogue));
    Value::Object(out)
}

fn stage(stage: &StageRecord) -> Value {
    json!({
        "stage": stage.stage,
        "outcome": stage.outcome.as_str(),
        "took_ms": millis(stage.took),
        "detail": stage.detail,
    })
}

fn check(check: &CheckRecord) -> Value {
    json!({
        "check": check.name,
        "outcome": check.outcome.as_str(),
        "took_ms": millis(check.took),
        "detail": check.detail,
        "cert_days_left": check.cert_days_left,
    })
}

fn gateway(gateway: &GatewayFacts) -> Value {
    json!({
        "address": gateway.address,
        "resolve_ms": gateway.resolve.map(millis),
        "tcp_ms": gateway.tcp.map(millis),
        "tls_ms": gateway.tls.map(millis),
        "tls_version": gateway.tls_version,
        "certificate": gateway.certificate,
    })
}

/// Average, smallest, largest and deviation in ms; `null` without a reply.
fn rtt(stats: Option<&PingStats>) -> Value {
    let Some(rtt) = stats.and_then(|s| s.rtt) else { return Value::Null };
    json!({
        "avg": millis(rtt.avg),
        "min": millis(rtt.min),
        "max": millis(rtt.max),
        "dev": millis(rtt.deviation),
    })
}

/// Milliseconds, to the microsecond.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

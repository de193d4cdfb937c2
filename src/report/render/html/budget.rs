//! Bars: the error budget, and whose downtime it was.

use super::text::{Text, duration, percent_sign, put};
use crate::report::model::{DomainShare, ErrorBudget};

/// Whether the target was met, in words.
pub(super) const fn met(budget: &ErrorBudget) -> (&'static str, &'static str) {
    match budget.met {
        Some(true) => ("met", "met"),
        Some(false) => ("missed", "missed"),
        None => ("open", "not known"),
    }
}

/// The error budget as a bar. An overspent one goes on behind the mark of what was allowed.
pub(super) fn budget_bar(out: &mut String, budget: &ErrorBudget) {
    let whole = budget.allowed_s.max(budget.used_s);
    let place = |seconds: f64| if whole > 0.0 { (seconds / whole * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    let (allowed, used) = (place(budget.allowed_s), place(budget.used_s));
    let words = words(budget);
    out.push_str("<figure class=\"budget\"><figcaption><b>Error budget</b></figcaption>");
    put!(out, "<svg role=\"img\" width=\"100%\" height=\"22\"><title>Error budget</title><desc>{words}</desc>");
    put!(out, "<rect class=\"track\" y=\"4\" width=\"100%\" height=\"14\" rx=\"2\"/>");
    let within = used.min(allowed);
    if within > 0.0 {
        put!(out, "<rect class=\"used\" y=\"4\" width=\"{within:.3}%\" height=\"14\" rx=\"2\"/>");
    }
    if used > allowed {
        put!(out, "<rect class=\"over\" x=\"{allowed:.3}%\" y=\"4\" width=\"{:.3}%\" height=\"14\"/>", used - allowed);
        put!(out, "<line class=\"mark\" x1=\"{allowed:.3}%\" x2=\"{allowed:.3}%\" y2=\"22\"/>");
    }
    put!(out, "</svg><p>{words}</p></figure>");
}

/// What of the budget is used and left.
fn words(budget: &ErrorBudget) -> String {
    let allowed = duration(budget.allowed_s);
    let used = duration(budget.used_s);
    // Cut to tenths; the other forms of the report have four decimals.
    let share = budget.used_pct.map(|share| percent_sign(Some((share * 10.0 + 1e-6).floor() / 10.0)));
    let share = share.map_or_else(String::new, |share| format!(" ({share})"));
    let left = if budget.left_s < 0.0 {
        format!("overspent by {}", duration(-budget.left_s))
    } else {
        format!("{} left", duration(budget.left_s))
    };
    format!(
        "Of the {allowed} that a target of {} allows, {used}{share} were used: {left}.",
        percent_sign(Some(budget.target))
    )
}

/// Whose downtime as a stacked bar; the parts that are wide enough carry their name.
pub(super) fn domain_bar(out: &mut String, domains: &[DomainShare]) {
    let whole: f64 = domains.iter().map(|domain| domain.downtime_s).sum();
    if whole <= 0.0 {
        return;
    }
    out.push_str(
        "<svg class=\"domains\" role=\"img\" width=\"100%\" height=\"26\"><title>Whose downtime</title><desc>",
    );
    for domain in domains {
        put!(out, "{} {}. ", Text(&domain.fault_domain), percent_sign(domain.share_pct));
    }
    out.push_str("</desc>");
    let mut at = 0.0;
    for domain in domains.iter().filter(|domain| domain.downtime_s > 0.0) {
        let width = domain.downtime_s / whole * 100.0;
        let name = Text(&domain.fault_domain);
        put!(
            out,
            "<rect class=\"{}\" x=\"{at:.3}%\" width=\"{width:.3}%\" height=\"26\"/>",
            class(&domain.fault_domain)
        );
        // A name needs about 60 pixels, which is so much of a narrow screen.
        if width > 19.0 {
            put!(out, "<text x=\"{at:.3}%\" dx=\"8\" y=\"17.5\">{name}</text>");
        }
        at += width;
    }
    out.push_str("</svg>");
}

/// The style of a fault domain.
pub(super) fn class(domain: &str) -> &'static str {
    match domain {
        "carrier" => "carrier",
        "gateway" => "gateway",
        "identity" => "identity",
        "tunnel" => "tunnel",
        "inside" => "inside",
        _ => "other",
    }
}

/// What a fault domain stands for.
pub(super) fn meaning(domain: &str) -> &'static str {
    match domain {
        "carrier" => "the way to the gateway: lines, routing, public DNS",
        "gateway" => "the VPN gateway: it did not answer, or refused for its own reasons",
        "identity" => "the test account: its password, code or standing",
        "tunnel" => "the tunnel: it did not come up, or did not carry traffic",
        "inside" => "the network behind the tunnel",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overspent_budget_is_said_and_drawn_behind_its_mark() {
        let mut bar = String::new();
        let budget = ErrorBudget {
            target: 99.9,
            allowed_s: 2_592.0,
            used_s: 5_184.0,
            left_s: -2_592.0,
            used_pct: Some(200.0),
            met: Some(false),
        };
        budget_bar(&mut bar, &budget);
        assert!(bar.contains("overspent by 43\u{a0}min 12\u{a0}s"), "{bar}");
        assert!(bar.contains("class=\"over\" x=\"50.000%\"") && bar.contains("class=\"mark\""), "{bar}");
        bar.clear();
        budget_bar(
            &mut bar,
            &ErrorBudget { allowed_s: 0.0, used_s: 0.0, left_s: 0.0, used_pct: None, met: None, ..budget },
        );
        assert!(!bar.contains("NaN") && !bar.contains("class=\"over\""), "{bar}");
    }
}

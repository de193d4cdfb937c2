//! The client lives and does nothing any more, or waits for what nobody gives it.

use super::{Case, cases, down, unknown, up};

/// Nobody knows for whom it waits: the gateway is what it talks with.
const SILENT: Case = down("login", "login-timeout", "gateway").spends("timeout").leaves("client");
const BEFORE_THE_PASSWORD: Case = SILENT.without_password();

cases! {
    hangs_at_the_start: "hangs", "before its first word",
        "faults: [ { at: start, do: hang } ]" => BEFORE_THE_PASSWORD;
    hangs_at_the_first_contact: "hangs", "before the gateway answers",
        "faults: [ { at: contact, do: hang } ]" => BEFORE_THE_PASSWORD;
    hangs_at_the_certificate: "hangs", "before the certificate question",
        "faults: [ { at: certificate, do: hang } ]" => BEFORE_THE_PASSWORD;
    hangs_after_the_certificate: "hangs", "before the menu of the certificate",
        "faults: [ { at: menu, do: hang } ]" => BEFORE_THE_PASSWORD;
    hangs_at_the_user_name: "hangs", "before `Username:`",
        "faults: [ { at: username, do: hang } ]" => BEFORE_THE_PASSWORD;
    hangs_at_the_password: "hangs", "before `Password:`",
        "faults: [ { at: password, do: hang } ]" => BEFORE_THE_PASSWORD;
    hangs_after_the_password: "hangs", "before the menu of the credentials",
        "faults: [ { at: menu, time: 2, do: hang } ]" => BEFORE_THE_PASSWORD;
    hangs_while_connecting: "hangs", "before `Connecting…`",
        "faults: [ { at: connecting, do: hang } ]" => BEFORE_THE_PASSWORD;
    hangs_behind_its_tunnel: "hangs", "before `Connected`",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: connected, do: hang } ] }"
        => SILENT.leaves("client, tunnel, resolv.conf");
    hangs_when_connected: "hangs", "after `Connected`",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: prompt, do: hang } ] }"
        => up().spends("grace").leaves("client, tunnel, resolv.conf");
    hangs_while_pinged_through: "hangs", "during the ping",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: traffic, do: hang } ] }"
        => up().spends("grace").leaves("client, tunnel, resolv.conf").with(&[("ping", "{ count: 10, interval: 50ms }")]);
    hangs_while_leaving: "hangs", "after `quit`",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: leaving, do: hang } ] }"
        => up().spends("grace").leaves("client, tunnel, resolv.conf");
    hangs_after_its_tunnel_is_down: "hangs", "before `Disconnected` after `quit`",
        "faults: [ { at: disconnected, do: hang } ]" => up().spends("grace").leaves("client");

    asks_something_unknown_at_the_start: "asks an unknown question", "before its first word",
        "faults: [ { at: start, do: { ask: 'Try the new console? (y/n)' } } ]"
        => unknown("login", "unexpected-prompt").spends("timeout").leaves("client").without_password();
    asks_something_unknown_before_the_password: "asks an unknown question", "before `Password:`",
        "faults: [ { at: password, do: { ask: 'Answer to the security question:' } } ]"
        => unknown("login", "unexpected-prompt").spends("timeout").leaves("client").without_password();
    asks_something_unknown_after_the_password: "asks an unknown question", "before `Connecting…`",
        "faults: [ { at: connecting, do: { ask: 'Which session shall be ended? [1-3]' } } ]"
        => unknown("login", "unexpected-prompt").spends("timeout").leaves("client").without_password();
    asks_something_unknown_when_connected: "asks an unknown question", "after `Connected`",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: prompt, do: { ask: 'Install the update?' } },
           { at: prompt, do: hang } ] }"
        => up().spends("grace").leaves("client, tunnel, resolv.conf");

    hangs_at_the_password_and_ignores_term: "hangs, ignores TERM", "before `Password:`",
        "{ at_terminate: stays, faults: [ { at: password, do: hang } ] }"
        => BEFORE_THE_PASSWORD.spends("timeout + TERM to KILL");
    hangs_while_leaving_and_ignores_term: "hangs, ignores TERM", "after `quit`",
        "{ claims_early: false, at_terminate: stays, restores_resolv_conf: false, faults: [ { at: leaving, do: hang } ] }"
        => up().spends("grace + TERM to KILL").leaves("client, tunnel, resolv.conf");
}

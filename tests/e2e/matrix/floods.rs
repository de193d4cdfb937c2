//! The client fills its terminal. How fast 100 MB are dealt with is measured by `scripts/bench`.

use super::{Case, cases, down, up};

const ENDLESS: Case = down("login", "login-timeout", "gateway").spends("timeout").leaves("client").without_password();

cases! {
    floods_at_the_start: "floods", "before its first word",
        "faults: [ { at: start, do: { flood: {} } } ]" => up();
    floods_at_the_certificate: "floods", "before the certificate question",
        "faults: [ { at: certificate, do: { flood: {} } } ]" => up();
    floods_at_the_user_name: "floods", "before `Username:`",
        "faults: [ { at: username, do: { flood: {} } } ]" => up();
    floods_at_the_password: "floods", "before `Password:`",
        "faults: [ { at: password, do: { flood: {} } } ]" => up();
    floods_at_the_menu: "floods", "before the menu of the credentials",
        "faults: [ { at: menu, time: 2, do: { flood: {} } } ]" => up();
    floods_while_connecting: "floods", "before `Connecting…`",
        "faults: [ { at: connecting, do: { flood: {} } } ]" => up();
    floods_behind_its_tunnel: "floods", "before `Connected`",
        "faults: [ { at: connected, do: { flood: {} } } ]" => up();
    floods_when_connected: "floods", "after `Connected`",
        "faults: [ { at: prompt, do: { flood: { kilobytes: 500 } } } ]" => up();
    floods_in_use: "floods", "during the ping",
        "faults: [ { at: traffic, do: { flood: { kilobytes: 500 } } } ]"
        => up().with(&[("ping", "{ count: 10, interval: 50ms }")]);
    floods_while_leaving: "floods", "after `quit`",
        "faults: [ { at: leaving, do: { flood: { kilobytes: 300 } } } ]" => up();
    floods_after_its_tunnel_is_down: "floods", "before `Disconnected` after `quit`",
        "faults: [ { at: disconnected, do: { flood: { kilobytes: 300 } } } ]" => up();
    floods_in_one_line: "floods in one line", "before `Password:`",
        "faults: [ { at: password, do: { flood: { lines: false } } } ]" => up();
    floods_in_one_line_when_connected: "floods in one line", "after `Connected`",
        "faults: [ { at: prompt, do: { flood: { lines: false } } } ]" => up();
    floods_without_end_at_the_start: "floods without end", "before its first word",
        "faults: [ { at: start, do: { flood: { kilobytes: null } } } ]" => ENDLESS;
    floods_without_end_at_the_password: "floods without end", "before `Password:`",
        "faults: [ { at: password, do: { flood: { kilobytes: null } } } ]" => ENDLESS;
    floods_without_end_in_one_line: "floods without end in one line", "before `Password:`",
        "faults: [ { at: password, do: { flood: { kilobytes: null, lines: false } } } ]" => ENDLESS;
    floods_without_end_when_connected: "floods without end", "after `Connected`",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: prompt, do: { flood: { kilobytes: null } } } ] }"
        => up().spends("grace").leaves("client, tunnel, resolv.conf");
    floods_without_end_while_leaving: "floods without end", "after `quit`",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: leaving, do: { flood: { kilobytes: null } } } ] }"
        => up().spends("grace").leaves("client, tunnel, resolv.conf");
}

//! The client takes its time to leave. (That it never leaves is among the hangs.)

use super::{cases, down, up};

cases! {
    quits_slowly: "takes most of its grace to leave", "after `quit`",
        "delays: { leaving: 700ms }" => up().spends("part of the grace");
    quits_too_slowly: "takes longer than its grace to leave", "after `quit`",
        "{ claims_early: false, restores_resolv_conf: false, delays: { leaving: 20s } }"
        => up().spends("grace").leaves("client, tunnel, resolv.conf");
    says_goodbye_slowly: "its tunnel is down, it ends after its grace", "before `Disconnected` after `quit`",
        "delays: { disconnected: 20s }" => up().spends("grace").leaves("client");
    leaves_with_its_terminal: "would end with its terminal, and hangs", "before `Password:`",
        "{ at_hangup: leaves, faults: [ { at: password, do: hang } ] }"
        => down("login", "login-timeout", "gateway").spends("timeout").leaves("client").without_password();
}

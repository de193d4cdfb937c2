//! The client starts processes that leave its session. (With the mark: the variable of the environment by which the
//! prober knows what its client started. Without: it is known because it was given to the prober, or not at all.)

use super::{cases, down, up};

cases! {
    orphan_with_the_mark: "starts an orphan with the mark", "before its first word",
        "faults: [ { at: start, do: { run: 'setsid -f sleep 600 </dev/null >/dev/null 2>&1' } } ]"
        => up().spends("grace").leaves("process");
    orphan_without_the_mark: "starts an orphan without the mark", "before its first word",
        "faults: [ { at: start, do: { run: 'env -i setsid -f sleep 600 </dev/null >/dev/null 2>&1' } } ]"
        => up().spends("grace").leaves("process");
    orphan_of_an_orphan: "starts an orphan that starts one, without the mark", "before `Connected`",
        "faults: [ { at: connected, do: { run: 'env -i setsid -f sh -c \"setsid -f sleep 600; exit\" </dev/null >/dev/null 2>&1' } } ]"
        => up().spends("grace").leaves("process");
    orphan_at_the_terminal: "starts an orphan that holds the terminal open", "before its first word",
        "faults: [ { at: start, do: { run: 'setsid -f sleep 600' } } ]"
        => up().spends("grace").leaves("process");
    orphan_at_the_terminal_of_a_dead_client: "dies, an orphan holds the terminal open", "before `Password:`",
        "faults: [ { at: password, do: { run: 'trap \"\" HUP; setsid -f sleep 600' } }, { at: password, do: { die: {} } } ]"
        => down("login", "disconnected", "tunnel").leaves("process").without_password();
    orphan_that_floods: "starts an orphan that floods the terminal", "after `Connected`",
        "faults: [ { at: prompt, do: { run: 'setsid -f yes noise' } } ]" => up().spends("grace").leaves("process");
    orphan_in_use: "starts an orphan without the mark", "during the ping",
        "faults: [ { at: traffic, do: { run: 'env -i setsid -f sleep 600 </dev/null >/dev/null 2>&1' } } ]"
        => up().spends("grace").leaves("process").with(&[("ping", "{ count: 10, interval: 50ms }")]);
    orphan_while_leaving: "starts an orphan without the mark", "after `quit`",
        "faults: [ { at: leaving, do: { run: 'trap \"\" HUP; env -i setsid -f sleep 600 </dev/null >/dev/null 2>&1' } } ]"
        => up().spends("grace").leaves("process");
    orphan_that_ignores_term: "starts an orphan that ignores TERM and HUP", "after `quit`",
        "faults: [ { at: leaving, do: { run: \"trap '' TERM HUP; setsid -f sleep 600\" } } ]"
        => up().spends("grace + TERM to KILL").leaves("process");
    orphan_that_comes_back: "starts an orphan that TERM makes start another", "after `quit`",
        "faults: [ { at: leaving, do: { run: \"trap '' HUP; setsid -f sh -c 'trap \\\"env -i setsid -f sleep 600\\\" TERM; sleep 601; sleep 602'\" } } ]"
        => up().spends("grace + TERM to KILL").leaves("process");
    orphan_with_a_tunnel: "starts an orphan without the mark that holds a tunnel", "before `Connected`",
        "faults: [ { at: connected, do: { run: 'env -i PATH=\"$PATH\" setsid -f \"$STARTCT_HOME/ui/hold-tun\" tun5' } } ]"
        => up().spends("grace").leaves("process");
    orphan_with_a_tunnel_of_a_dead_client: "dies, an orphan holds a tunnel", "before `Password:`",
        "faults: [ { at: password, do: { run: 'env -i PATH=\"$PATH\" setsid -f \"$STARTCT_HOME/ui/hold-tun\" tun5' } },
                   { at: password, do: { die: {} } } ]"
        => down("login", "disconnected", "tunnel").leaves("process").without_password();
}

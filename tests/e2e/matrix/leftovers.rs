//! The client leaves, or dies, and the host is not as it was.
//!
//! What is started right before the client ends ignores HUP: else the end of the terminal would reach it before it has a
//! session of its own.

use super::{cases, down, up};

cases! {
    leaves_resolv_conf: "leaves resolv.conf rewritten", "after `quit`",
        "{ claims_early: false, restores_resolv_conf: false }" => up().leaves("resolv.conf");
    removes_resolv_conf_entries: "leaves resolv.conf empty", "after `quit`",
        "faults: [ { at: disconnected, do: { run: ': >/etc/resolv.conf' } } ]" => up().leaves("resolv.conf");
    restores_resolv_conf_late: "an orphan restores resolv.conf when the client has ended", "after `quit`",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: disconnected, do: { run:
           'trap \"\" HUP; setsid -f sh -c \"sleep 0.7; cat $STARTCT_HOME/resolv.conf.saved >/etc/resolv.conf\" </dev/null >/dev/null 2>&1' } } ] }"
        => up().spends("part of the grace");
    restores_resolv_conf_too_late: "an orphan would restore resolv.conf after the grace", "after `quit`",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: disconnected, do: { run:
           'trap \"\" HUP; setsid -f sh -c \"sleep 20; cat $STARTCT_HOME/resolv.conf.saved >/etc/resolv.conf\" </dev/null >/dev/null 2>&1' } } ] }"
        => up().spends("grace").leaves("process, resolv.conf");
    rewrites_resolv_conf_again: "an orphan rewrites resolv.conf when it is told to end", "after `quit`",
        "faults: [ { at: disconnected, do: { run:
           \"trap '' HUP; setsid -f sh -c 'trap \\\"echo late >/etc/resolv.conf; exit\\\" TERM; sleep 20 & wait' </dev/null >/dev/null 2>&1\" } } ]"
        => up().spends("grace").leaves("process, resolv.conf");

    leaves_the_interface: "leaves its interface, with address and routes", "after `quit`",
        "tunnel: persistent" => up().leaves("interface");
    leaves_another_interface: "leaves a second interface of its name", "before `Connected`",
        "faults: [ { at: connected, do: { run: 'ip tuntap add tun7 mode tun; ip address add 192.0.2.9/32 dev tun7; ip link set tun7 up' } } ]"
        => up().leaves("interface");
    leaves_the_interface_and_dies: "dies and leaves an interface", "before `Password:`",
        "faults: [ { at: password, do: { run: 'ip tuntap add tun7 mode tun' } }, { at: password, do: { die: {} } } ]"
        => down("login", "disconnected", "tunnel").leaves("interface").without_password();

    leaves_a_route: "leaves a route past the tunnel", "before `Connected`",
        "faults: [ { at: connected, do: { run: 'ip route add 198.51.100.0/24 via 10.78.0.1' } } ]"
        => up().leaves("route");
    leaves_a_route_of_ipv6: "leaves a route of IPv6", "before `Connected`",
        "faults: [ { at: connected, do: { run: 'ip -6 route add 2001:db8:7::/48 via fd78::1' } } ]"
        => up().leaves("route");
    takes_a_route_away: "takes a route away", "before `Connected`",
        "faults: [ { at: connected, do: { run: 'ip route del 10.78.1.0/24' } } ]" => up().leaves("route");
    leaves_a_route_of_another_table: "leaves a route of another table", "before `Connected`",
        "faults: [ { at: connected, do: { run: 'ip route add 198.51.100.0/24 via 10.78.0.1 table 100' } } ]"
        => up().leaves("route");
    leaves_a_route_and_dies: "dies and leaves a route", "before `Password:`",
        "faults: [ { at: password, do: { run: 'ip route add 198.51.100.0/24 via 10.78.0.1' } },
                   { at: password, do: { die: {} } } ]"
        => down("login", "disconnected", "tunnel").leaves("route").without_password();

    leaves_a_rule: "leaves a policy rule", "before `Connected`",
        "faults: [ { at: connected, do: { run: 'ip rule add from 198.51.100.7 lookup 100 priority 7000' } } ]"
        => up().leaves("rule");
    leaves_a_rule_of_ipv6: "leaves a policy rule of IPv6", "before `Connected`",
        "faults: [ { at: connected, do: { run: 'ip -6 rule add fwmark 7 lookup 100' } } ]" => up().leaves("rule");
    leaves_a_rule_and_dies: "dies and leaves a policy rule", "before `Password:`",
        "faults: [ { at: password, do: { run: 'ip rule add to 198.51.100.0/24 lookup 100' } },
                   { at: password, do: { die: {} } } ]"
        => down("login", "disconnected", "tunnel").leaves("rule").without_password();
    leaves_everything: "leaves an interface, a route, a rule and resolv.conf, and hangs", "after `quit`",
        "{ claims_early: false, restores_resolv_conf: false, tunnel: persistent, faults: [ { at: leaving, do: { run:
           'ip route add 198.51.100.0/24 via 10.78.0.1; ip rule add from 198.51.100.7 lookup 100; trap \"\" HUP; setsid -f sleep 600' } },
           { at: leaving, do: hang } ] }"
        => up().spends("grace").leaves("client, tunnel, process, interface, route, rule, resolv.conf");
}

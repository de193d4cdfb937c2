//! The client says `Connected`, and the tunnel is not there, not whole, or gone again.

use super::{Case, cases, down};

const NO_INTERFACE: Case = down("login", "no-interface", "tunnel").spends("timeout");
const LOST: Case = down("internal", "disconnected", "tunnel");
/// 40 pings: one that is answered before the loss is less than the share that must be.
const LONG: &[(&str, &str)] = &[("ping", "{ count: 40, interval: 50ms, timeout: 500ms }")];

cases! {
    connected_without_an_interface: "says connected without an interface", "at `Connected`",
        "{ tunnel: no-interface, rewrites_resolv_conf: false }" => NO_INTERFACE;
    connected_without_an_address: "says connected, the interface has no address", "at `Connected`",
        "{ tunnel: no-address, rewrites_resolv_conf: false }" => NO_INTERFACE;
    connected_without_a_route: "says connected, no route leads to the interface", "at `Connected`",
        "{ tunnel: no-route, rewrites_resolv_conf: false }" => NO_INTERFACE;
    connected_with_another_route: "says connected, no route leads to the inside", "at `Connected`",
        "{ tunnel: other-route }" => down("internal", "not-through-tunnel", "tunnel").spends("wait for a route");
    another_way_inside: "says connected, the way to the inside is another", "at `Connected`",
        "{ tunnel: other-route, claims_early: false, faults: [ { at: connected, do: { run: 'ip route add 10.77.0.0/24 via 10.78.0.1' } } ] }"
        => down("internal", "not-through-tunnel", "tunnel").spends("wait for a route").leaves("route");

    interface_lost_before_the_ping: "the interface is gone", "before the ping",
        "{ tunnel: other-route, claims_early: false, faults: [ { at: prompt, do: { run: 'sleep 0.5; ip link del tun0' } } ] }" => LOST;
    routes_lost_before_the_ping: "the routes are gone", "before the ping",
        "{ tunnel: other-route, claims_early: false, faults: [ { at: prompt, do: { run: 'sleep 0.5; ip route del 192.0.2.0/24' } } ] }"
        => down("internal", "not-through-tunnel", "tunnel").spends("wait for a route");
    disconnected_before_the_ping: "says `Disconnected`", "before the ping",
        "{ claims_early: false, tunnel: other-route, restores_resolv_conf: false, faults: [ { at: prompt, do: { run: 'sleep 0.5' } },
           { at: prompt, do: { say: Disconnected } } ] }" => LOST.leaves("client, tunnel, resolv.conf");
    dead_before_the_ping: "dies", "before the ping",
        "{ claims_early: false, tunnel: other-route, restores_resolv_conf: false, faults: [ { at: prompt, do: { run: 'sleep 0.5' } },
           { at: prompt, do: { die: {} } } ] }" => LOST.leaves("tunnel, resolv.conf");

    interface_lost_during_the_ping: "the interface is gone", "during the ping",
        "faults: [ { at: traffic, do: { run: 'ip link del tun0' } } ]" => LOST.with(LONG);
    address_lost_during_the_ping: "the address is gone", "during the ping",
        "faults: [ { at: traffic, do: { run: 'ip address flush dev tun0' } } ]" => LOST.with(LONG);
    routes_lost_during_the_ping: "the routes are gone", "during the ping",
        "faults: [ { at: traffic, do: { run: 'ip route flush dev tun0' } } ]"
        => down("internal", "not-through-tunnel", "tunnel").with(LONG);
    interface_down_during_the_ping: "the interface is set down", "during the ping",
        "faults: [ { at: traffic, do: { run: 'ip link set tun0 down' } } ]" => LOST.with(LONG);
    disconnected_during_the_ping: "says `Disconnected`", "during the ping",
        "{ claims_early: false, restores_resolv_conf: false, faults: [ { at: traffic, do: { say: Disconnected } } ] }"
        => LOST.with(LONG).leaves("client, tunnel, resolv.conf");
}

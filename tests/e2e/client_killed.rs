//! The client dies in the middle, with all that belongs to it or alone.

use crate::lab::Lab;

const IN_THE_LOGIN: &str =
    "prepare=passed external=passed gateway=passed login=REASON internal=skipped teardown=passed cleanup=passed";

#[test]
fn killed_in_the_middle_of_the_login_is_disconnected() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("hangs-behind-its-tunnel");
    let prober = paris.start(&["test", "--record"]);
    lab.tunnel_stands();
    lab.kill_client();
    prober.end().exits(1);
    let row = paris.row();
    row.is("down", "login", "disconnected", "tunnel").expect("stages", &IN_THE_LOGIN.replace("REASON", "disconnected"));
    row.expect("login_ms", "");
}

#[test]
fn killed_before_any_word_is_the_probers_own_trouble() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("hangs-at-the-start");
    let prober = paris.start(&["test", "--record"]);
    lab.process("AvConnect");
    lab.kill_client();
    prober.end().exits(3);
    let row = paris.row();
    row.is("unknown", "login", "client-exited", "own")
        .expect("stages", &IN_THE_LOGIN.replace("REASON", "client-exited"));
}

#[test]
fn openconnect_killed_before_the_gateway_spoke_is_the_probers_own_trouble() {
    let lab = Lab::locked();
    lab.gateway("pause");
    let paris = lab.site("paris", "client: openconnect, gateway: { speaks: none }");
    let prober = paris.start(&["test", "--record"]);
    lab.process("openconnect");
    lab.kill_client();
    prober.end().exits(3);
    paris.row().is("unknown", "login", "client-exited", "own");
}

#[test]
fn a_client_that_dies_behind_its_tunnel_leaves_no_orphan() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("dies-behind-its-tunnel");
    paris.run(&["test", "--record"]).exits(1);
    paris.row().is("down", "login", "disconnected", "tunnel");
}

fn killed_while_the_tunnel_is_in_use(client: &str) {
    let lab = Lab::locked();
    let paris = lab.site("paris", &format!("client: {client}")).without("external_ip");
    let paris = paris.default("ping", "{ count: 500, interval: 50ms, timeout: 1s }");
    let prober = paris.start(&["test", "--record"]);
    prober.pings_inside();
    lab.kill_client();
    prober.end().exits(1);
    let row = paris.row();
    let stages = "prepare=passed gateway=passed login=passed internal=disconnected teardown=passed cleanup=passed";
    row.is("down", "internal", "disconnected", "tunnel").expect("stages", stages);
    row.measured(&["login_ms"]);
}

#[test]
fn startct_killed_while_the_tunnel_is_in_use_is_disconnected() {
    killed_while_the_tunnel_is_in_use("lab-startct");
}

#[test]
fn openconnect_killed_while_the_tunnel_is_in_use_is_disconnected() {
    killed_while_the_tunnel_is_in_use("openconnect");
}

//! A running prober whose mail server is gone while a site goes down and comes back, again and again.

use std::net::Ipv4Addr;

use nix::sys::signal::Signal;
use tokio::net::TcpListener;

use crate::house::{House, Prober, alone};
use crate::mail_server::MailServer;
use crate::receiver::closed_port;

/// A house with one site, which is down while nobody listens on this port.
fn house(gateway: u16, mail: u16) -> House {
    let house = House::with_sites("  paris: { client: watched, frequency: 1s }");
    let config = std::fs::read_to_string(house.path("config.yml")).unwrap();
    let email = format!("email: {{ server: 127.0.0.1, port: {mail}, from: probe@example.com, to: ops@example.com }}");
    let config = config
        .replace("dir: results }", &format!("dir: results, {email} }}\nalerts: {{ after: 1 }}"))
        .replace("vpn_gw: vpn.example.com", &format!("vpn_gw: \"127.0.0.1:{gateway}\""))
        .replace("\nsites:", "\n  watched: { extends: good, gateway: tcp }\nsites:");
    house.write("config.yml", &config);
    house
}

async fn is(prober: &mut Prober, verdict: &str) {
    while prober.says_cycle().await["verdict"] != verdict {}
}

#[tokio::test]
async fn what_happened_while_the_mail_server_was_gone_arrives_in_order_when_it_is_back() {
    let _alone = alone().await;
    let (gateway, mail) = (closed_port().await, closed_port().await);
    let house = house(gateway, mail);
    let mut prober = house.start();
    is(&mut prober, "down").await;
    prober.says("message not delivered").await;
    for _ in 0..2 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, gateway)).await.unwrap();
        is(&mut prober, "up").await;
        drop(listener);
        is(&mut prober, "down").await;
    }
    let mut server = MailServer::start_at(mail, &house.path("no answer")).await;
    let mut subjects = Vec::new();
    for _ in 0..5 {
        let mail = server.next("mail").await["mail"].as_str().unwrap().to_owned();
        let subject = mail.lines().find_map(|line| line.strip_prefix("Subject: [vpnprobe] paris ")).unwrap();
        subjects.push(subject.split_whitespace().next().unwrap().to_owned());
    }
    assert_eq!(subjects, ["DOWN:", "is", "DOWN:", "is", "DOWN:"]);
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
    let more = server.seen_before_a_marker().await;
    assert!(more.iter().all(|fact| fact.get("mail").is_none()), "each came once: {more:?}");
}

//! What is told of events, whatever the daemon does.

use tokio::time::timeout;

use super::super::codec::Packet;
use super::super::server::{Peer, Server};
use super::*;

const UP: &str = "up=yes gw {uniqueid=1 child-sas {a-4 {name=a uniqueid=4}}}";
const DOWN: &str = "gw {uniqueid=1 child-sas {a-4 {name=a uniqueid=4}}}";

async fn connected(server: &Server, events: &mut Events) -> Peer {
    let serve = async {
        let mut peer = server.accept().await;
        peer.let_register().await;
        peer
    };
    let (event, peer) = tokio::join!(events.next(), serve);
    assert!(matches!(event, Event::Connected), "{event:?}");
    peer
}

fn told(event: &Event) -> String {
    match event {
        Event::Child { child, direction, .. } => format!("{child} {direction:?}"),
        Event::Ike { ike, direction, .. } => format!("{ike} {direction:?}"),
        Event::Rekeyed { child, old_id, new_id, .. } => format!("{child} {old_id} -> {new_id}"),
        Event::Connected => "connected".into(),
        Event::Lost(error) => format!("lost: {error}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_told_in_its_order() {
    let server = Server::start();
    let mut events = server.client().events();
    let mut peer = connected(&server, &mut events).await;
    peer.event("child-updown", DOWN).await;
    peer.event("ike-updown", "gw {uniqueid=1 state=DELETING}").await;
    peer.event("ike-rekey", "gw {old {uniqueid=1} new {uniqueid=2}}").await;
    peer.event("child-updown", UP).await;
    peer.event("child-rekey", "gw {uniqueid=1 child-sas {a {old {uniqueid=4} new {uniqueid=5}}}}").await;
    for expected in ["a Down", "gw Down", "a Up", "a 4 -> 5"] {
        assert_eq!(told(&events.next().await), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_the_daemon_is_told_once_and_so_is_its_return() {
    let mut server = Server::start();
    let mut events = server.client().events();
    let peer = connected(&server, &mut events).await;
    tokio::time::advance(Duration::from_hours(1)).await;
    server.die();
    drop(peer);
    let began = Instant::now();
    assert_eq!(told(&events.next().await), "lost: strongSwan closed the connection during `events`");
    let serve = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        server.listen();
        let mut peer = server.accept().await;
        peer.let_register().await;
        peer.event("child-updown", UP).await;
        peer
    };
    let (event, _peer) = tokio::join!(events.next(), serve);
    assert_eq!(told(&event), "connected");
    assert_eq!(told(&events.next().await), "a Up");
    assert!(began.elapsed() <= Duration::from_secs(25), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_quick_restart_is_noticed_quickly() {
    let server = Server::start();
    let mut events = server.client().events();
    let peer = connected(&server, &mut events).await;
    tokio::time::advance(Duration::from_hours(1)).await;
    let began = Instant::now();
    drop(peer);
    assert!(matches!(events.next().await, Event::Lost(_)));
    let _peer = connected(&server, &mut events).await;
    assert!(began.elapsed() <= Duration::from_millis(110), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_hangs_up_on_everybody_is_not_tried_in_a_spin() {
    let server = Server::start();
    let mut events = server.client().events();
    let mut connections = 0;
    let serve = async {
        loop {
            server.accept().await.let_register().await;
            connections += 1;
        }
    };
    let mut lost = 0;
    let consume = async {
        loop {
            lost += usize::from(matches!(events.next().await, Event::Lost(_)));
        }
    };
    let minute = timeout(Duration::from_mins(1), async { tokio::join!(serve, consume) });
    assert!(minute.await.is_err());
    assert!((10..=20).contains(&connections), "{connections}");
    assert_eq!(lost, connections);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_away_is_told_once_and_tried_for_ever() {
    let mut server = Server::absent();
    let mut events = server.client().events();
    assert_eq!(told(&events.next().await), format!("lost: no strongSwan answers at `{}`", server.endpoint()));
    assert!(timeout(Duration::from_hours(24), events.next()).await.is_err());
    server.listen();
    let _peer = connected(&server, &mut events).await;
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_silent_for_long_is_asked_whether_it_lives() {
    let server = Server::start();
    let mut events = server.client().events();
    let mut peer = connected(&server, &mut events).await;
    let serve = async {
        for _ in 0..3 {
            peer.expect("version ").await;
            peer.respond("daemon=charon").await;
        }
        peer.expect("version ").await;
        // It may be busy, or know no `version`; an event tells as well that it lives.
        peer.event("child-updown", UP).await;
        peer.send(Packet::UnknownCommand).await;
        peer.expect("version ").await;
        peer.receive().await
    };
    let began = Instant::now();
    let consume = async {
        assert_eq!(told(&events.next().await), "a Up");
        told(&events.next().await)
    };
    let (lost, after) = tokio::join!(consume, serve);
    assert_eq!((lost.as_str(), after.as_str()), ("lost: strongSwan did not answer `events` within 10 s", "closed"));
    assert_eq!(began.elapsed().as_secs(), 5 * 60 + 10);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_called_away_all_the_time_misses_nothing() {
    let server = Server::start();
    let mut events = server.client().events();
    let serve = async {
        let mut peer = server.accept().await;
        let pause = || tokio::time::sleep(Duration::from_millis(50));
        for name in NAMES {
            pause().await;
            peer.confirm(&format!("register {name}")).await;
        }
        for text in [UP, DOWN, UP] {
            let packet = Packet::Event(b"child-updown", super::super::server::message(text).bytes()).encode().unwrap();
            let length = u32::try_from(packet.len()).unwrap().to_be_bytes();
            for part in [&length[..2], &length[2..], &packet[..9], &packet[9..]] {
                pause().await;
                peer.write(part).await;
            }
        }
        peer
    };
    let consume = async {
        let mut got = Vec::new();
        while got.len() < 4 {
            if let Ok(event) = timeout(Duration::from_millis(7), events.next()).await {
                got.push(told(&event));
            }
        }
        got
    };
    let (got, _peer) = tokio::join!(consume, serve);
    assert_eq!(got, ["connected", "a Up", "a Down", "a Up"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_vici_ends_the_connection_and_is_said() {
    for (bytes, words) in [
        (&b"\0\0\0\x04\x07\x01a\x09"[..], "an element or packet of the unknown type 9"),
        (b"\x40\0\0\0\x07", "it is longer than 512 KiB"),
        (b"\0\0\0\x01\x05", "an answer to something else"),
    ] {
        let server = Server::start();
        let mut events = server.client().events();
        let mut peer = connected(&server, &mut events).await;
        peer.write(bytes).await;
        let lost = told(&events.next().await);
        assert!(lost.starts_with("lost: what answers at") && lost.ends_with(words), "{lost}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_knows_no_such_events_is_said_to() {
    let server = Server::start();
    let mut events = server.client().events();
    let serve = async {
        let mut peer = server.accept().await;
        peer.confirm("register child-updown").await;
        peer.expect("register ike-updown").await;
        peer.send(Packet::UnknownEvent).await;
        peer
    };
    let (lost, _peer) = tokio::join!(events.next(), serve);
    assert_eq!(told(&lost), "lost: `ike-updown`: the daemon does not know these events");
}

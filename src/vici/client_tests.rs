//! What a request comes to, whatever the daemon does.

use std::io;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::super::codec::Packet;
use super::super::server::{Peer, Server, host};
use super::*;

const CONNECTION: &str = "gw {remote_addrs=[192.0.2.2] children {a {dpd_action=start}}}";
const SA: &str = "gw {uniqueid=1 state=ESTABLISHED child-sas {a-4 {name=a uniqueid=4 state=INSTALLED}}}";
const LIMIT: Duration = Duration::from_secs(10);

fn child() -> ChildRef {
    ChildRef { ike: Some("gw".into()), child: "a".into() }
}

async fn view(client: &Strongswan) -> Result<View, ViciError> {
    client.view(Instant::now() + LIMIT).await
}

/// Answers both parts of a view.
async fn show(peer: &mut Peer) {
    peer.list("list-conns", &[CONNECTION]).await;
    peer.list("list-sas", &[SA]).await;
}

fn names(view: &View) -> (Vec<&str>, Vec<&str>) {
    let installed = view.installed.iter().flat_map(|ike| &ike.children);
    (view.configured.iter().map(|c| c.child.as_str()).collect(), installed.map(|c| c.name.as_str()).collect())
}

#[tokio::test(start_paused = true)]
async fn a_view_is_what_is_configured_and_what_is_installed() {
    let server = Server::start();
    let client = server.client();
    let serve = async { show(&mut server.accept().await).await };
    let (view, ()) = tokio::join!(view(&client), serve);
    assert_eq!(names(&view.unwrap()), (vec!["a"], vec!["a"]));
}

#[tokio::test(start_paused = true)]
async fn events_of_others_between_the_answers_are_passed_over() {
    let server = Server::start();
    let client = server.client();
    let serve = async {
        let mut peer = server.accept().await;
        peer.expect("register list-conn").await;
        peer.event("control-log", "msg=x").await;
        peer.send(Packet::Confirmed).await;
        peer.expect("list-conns ").await;
        peer.event("list-conn", CONNECTION).await;
        peer.event("child-updown", SA).await;
        peer.respond("").await;
        peer.event("list-conn", CONNECTION).await;
        peer.list("list-sas", &[]).await;
    };
    let (view, ()) = tokio::join!(view(&client), serve);
    assert_eq!(names(&view.unwrap()), (vec!["a"], vec![]));
}

/// What a daemon does once it has read `initiate`, and what that comes to.
#[tokio::test(start_paused = true)]
async fn every_fault_of_an_answer_is_an_error_of_its_own_at_once() {
    let too_long = (512 * 1024 + 1_u32).to_be_bytes();
    let cases: [(&str, &[u8], &str); 13] = [
        ("closed at once", b"", "strongSwan closed the connection during `initiate`"),
        ("cut in its length", b"\0\0", "strongSwan closed the connection during `initiate`"),
        ("cut in itself", b"\0\0\0\x10\x01", "strongSwan closed the connection during `initiate`"),
        ("too long", &too_long, "it is longer than 512 KiB"),
        ("a length of 1 GB", &[0x40, 0, 0, 0, 1], "it is longer than 512 KiB"),
        ("empty", b"\0\0\0\0", "it is cut short"),
        ("an unknown type", b"\0\0\0\x01\x09", "an element or packet of the unknown type 9"),
        ("a client's type", b"\0\0\0\x03\x00\x01a", "an answer to something else"),
        ("another's answer", b"\0\0\0\x01\x05", "an answer to something else"),
        ("another's refusal", b"\0\0\0\x01\x06", "an answer to something else"),
        ("a message that is cut", b"\0\0\0\x04\x01\x03\x05a", "it is cut short"),
        ("an event that is cut", b"\0\0\0\x06\x07\x01a\x01\x01b", "it is cut short"),
        ("no such command", b"\0\0\0\x01\x02", "`initiate`: the daemon does not know this command"),
    ];
    for (what, bytes, words) in cases {
        let server = Server::start();
        let client = server.client();
        let serve = async {
            let mut peer = server.accept().await;
            peer.receive().await;
            peer.write(bytes).await;
        };
        let began = Instant::now();
        let child = child();
        let (result, ()) = tokio::join!(client.initiate(&child, LIMIT), serve);
        let error = result.unwrap_err().to_string();
        assert!(error.ends_with(words), "{what}: {error}");
        assert_eq!(began.elapsed(), Duration::ZERO, "{what}");
        assert!(server.is_left_alone().await, "{what}: tried again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_daemon_is_given_up_at_the_deadline() {
    let server = Server::start();
    let client = server.client();
    let (done, until) = oneshot::channel::<()>();
    let serve = async {
        let mut peer = server.accept().await;
        peer.confirm("register list-conn").await;
        peer.expect("list-conns ").await;
        let _ = until.await;
    };
    let ask = async {
        let began = Instant::now();
        let error = view(&client).await.unwrap_err().to_string();
        assert_eq!(error, "strongSwan did not answer `list-conns` within 10 s");
        assert!((LIMIT..LIMIT + Duration::from_millis(5)).contains(&began.elapsed()), "{:?}", began.elapsed());
        drop(done);
    };
    tokio::join!(ask, serve);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_waited_for_a_little_longer_than_the_daemon_was_told() {
    let server = Server::start();
    let client = server.client();
    let serve = async {
        let mut peer = server.accept().await;
        peer.expect("terminate child-id=7 timeout=5000 loglevel=-1").await;
        assert_eq!(peer.receive().await, "closed");
    };
    let began = Instant::now();
    let (result, ()) = tokio::join!(client.terminate(SaId::Child(7), Duration::from_secs(5)), serve);
    assert_eq!(result.unwrap_err().to_string(), "strongSwan did not answer `terminate` within 7 s");
    assert!((7_000..7_010).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_finds_nobody_who_could_take_it_for_the_next_requests() {
    let server = Server::start();
    let client = server.client();
    let serve = async {
        let mut first = server.accept().await;
        first.expect("terminate child-id=1 timeout=1000 loglevel=-1").await;
        let mut second = server.accept().await;
        second.expect("terminate ike-id=2 force=yes loglevel=-1").await;
        first.expect("closed").await;
        second.respond("success=no matches=1 terminated=0 errmsg=terminating_SA_failed").await;
    };
    let ask = async {
        let first = client.terminate(SaId::Child(1), Duration::from_secs(1)).await;
        assert!(matches!(first, Err(ViciError::TimedOut { .. })), "{first:?}");
        let second = client.terminate(SaId::Ike(2), Duration::from_secs(1)).await;
        assert_eq!(second.unwrap_err().to_string(), "`terminate`: terminating SA failed");
    };
    tokio::join!(ask, serve);
}

#[tokio::test(start_paused = true)]
async fn a_view_goes_on_with_the_daemons_successor_when_it_is_restarted_meanwhile() {
    let mut server = Server::start();
    let client = server.client();
    let serve = async {
        let mut peer = server.accept().await;
        peer.list("list-conns", &["old {children {gone {}}}"]).await;
        peer.confirm("register list-sa").await;
        peer.expect("list-sas ").await;
        peer.event("list-sa", SA).await;
        // It dies in the middle of its answer, and its successor takes a second.
        server.die();
        drop(peer);
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.listen();
        show(&mut server.accept().await).await;
    };
    let (view, ()) = tokio::join!(view(&client), serve);
    assert_eq!(names(&view.unwrap()), (vec!["a"], vec!["a"]));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_was_just_restarted_is_given_time_to_read_its_configuration() {
    let server = Server::start();
    let client = server.client();
    let serve = async {
        drop(server.accept().await);
        let mut early = server.accept().await;
        early.list("list-conns", &[]).await;
        early.list("list-sas", &[]).await;
        show(&mut server.accept().await).await;
    };
    let (view, ()) = tokio::join!(view(&client), serve);
    assert_eq!(names(&view.unwrap()), (vec!["a"], vec!["a"]));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_without_any_configuration_is_believed() {
    let server = Server::start();
    let client = server.client();
    let serve = async {
        let mut peer = server.accept().await;
        peer.list("list-conns", &[]).await;
        peer.list("list-sas", &[]).await;
    };
    let began = Instant::now();
    let (view, ()) = tokio::join!(view(&client), serve);
    assert_eq!((view.unwrap(), began.elapsed()), (View::default(), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_not_there_is_waited_for_as_long_as_a_restart_takes() {
    let server = Server::absent();
    let client = server.client();
    let child = child();
    let (began, view) = (Instant::now(), view(&client).await.unwrap_err());
    assert_eq!(view.to_string(), format!("no strongSwan answers at `{}`", server.endpoint()));
    let ViciError::Unreachable { source, .. } = view else { panic!("{view:?}") };
    assert_eq!(source.kind(), io::ErrorKind::NotFound);
    let initiate = client.initiate(&child, LIMIT).await;
    assert!(matches!(initiate, Err(ViciError::Unreachable { .. })), "{initiate:?}");
    assert!((3_000..=4_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_takes_no_more_connections_is_there_but_does_not_answer() {
    let (server, waiting) = Server::with_a_full_queue();
    let client = server.client();
    let error = view(&client).await.unwrap_err().to_string();
    assert_eq!(error, "strongSwan did not answer `connect` within 10 s");
    // As soon as it goes on, it is asked.
    let serve = async {
        for _ in &waiting {
            server.accept().await;
        }
        show(&mut server.accept().await).await;
    };
    let (view, ()) = tokio::join!(view(&client), serve);
    assert_eq!(names(&view.unwrap()), (vec!["a"], vec!["a"]));
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_only_others_may_use_is_told_at_once() {
    let server = Server::absent();
    // A name below a file: no daemon will ever listen there.
    let endpoint = Endpoint::Unix(std::path::PathBuf::from("/dev/null/vici"));
    let client = Strongswan::new(endpoint, host());
    let began = Instant::now();
    let ViciError::Unreachable { source, .. } = view(&client).await.unwrap_err() else { panic!() };
    assert_eq!((source.kind(), began.elapsed()), (io::ErrorKind::NotADirectory, Duration::ZERO));
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_list_without_end_is_given_up_before_it_fills_the_memory() {
    let server = Server::start();
    let client = server.client();
    // 500 KB whose children share 60 KB of addresses: 3 GB as they stand.
    let addresses = vec![[b'x'; 250]; 240];
    let mut item = MessageWriter::default();
    item.begin_section(b"gw").unwrap();
    item.list(b"remote_addrs", addresses.iter().map(<[u8; 250]>::as_slice)).unwrap();
    item.begin_section(b"children").unwrap();
    for _ in 0..50_000 {
        item.begin_section(b"a").unwrap();
        item.end_section();
    }
    item.end_section();
    item.end_section();
    let serve = async {
        let mut peer = server.accept().await;
        peer.confirm("register list-conn").await;
        peer.expect("list-conns ").await;
        peer.send(Packet::Event(b"list-conn", item.bytes())).await;
        peer.receive().await
    };
    let (view, after) = tokio::join!(view(&client), serve);
    assert!(view.unwrap_err().to_string().ends_with("its list is longer than any gateway's"));
    assert_eq!(after, "closed");
}

#[tokio::test(start_paused = true)]
async fn initiate_names_the_child_and_its_connection_and_repeats_the_daemons_refusal() {
    let long = "no_good_".repeat(100);
    for (child, asked, answer, expected) in [
        (child(), "initiate child=a ike=gw timeout=3000 loglevel=-1", "success=yes", None),
        (
            ChildRef { ike: None, child: "a b".into() },
            "initiate child=a b timeout=3000 loglevel=-1",
            "success=no errmsg=CHILD_SA_config_'a_b'_not_found",
            Some("`initiate`: CHILD SA config 'a b' not found".to_owned()),
        ),
        (
            child(),
            "initiate child=a ike=gw timeout=3000 loglevel=-1",
            "success=no",
            Some("`initiate`: it gives no reason".into()),
        ),
        (
            child(),
            "initiate child=a ike=gw timeout=3000 loglevel=-1",
            "",
            Some("`initiate`: it gives no reason".into()),
        ),
        (
            child(),
            "initiate child=a ike=gw timeout=3000 loglevel=-1",
            "success=no errmsg=\u{1b}[31mred\u{7}_\u{202e}x",
            Some("`initiate`: [31mred x".into()),
        ),
        (
            child(),
            "initiate child=a ike=gw timeout=3000 loglevel=-1",
            &format!("success=no errmsg={long}"),
            Some(format!("`initiate`: {}…", long.replace('_', " ").chars().take(300).collect::<String>())),
        ),
    ] {
        let server = Server::start();
        let client = server.client();
        let serve = async {
            let mut peer = server.accept().await;
            peer.expect(asked).await;
            peer.respond(answer).await;
        };
        let (result, ()) = tokio::join!(client.initiate(&child, Duration::from_secs(3)), serve);
        assert_eq!(result.err().map(|error| error.to_string()), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_few_changes_are_under_way_at_once_and_each_has_its_whole_time() {
    let server = Server::start();
    let client = server.client();
    let began = Instant::now();
    let serve = async {
        let mut waiting = Vec::new();
        for number in 0..=MOST_CHANGES {
            let mut peer = server.accept().await;
            let asked = peer.receive().await;
            waiting.push((peer, asked));
            // The last one's turn comes when the first are given up.
            let since = if number < MOST_CHANGES { 0 } else { 12 };
            assert_eq!(began.elapsed().as_secs(), since, "{number}");
        }
        let (mut last, _) = waiting.pop().unwrap();
        last.respond("success=yes").await;
    };
    let changes = (0..).map(|id| client.terminate(SaId::Child(id), LIMIT)).take(MOST_CHANGES + 1);
    let (ended, ()) = tokio::join!(futures_util::future::join_all(changes), serve);
    assert_eq!(ended.into_iter().flatten().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_no_request_can_hold_is_refused_here() {
    let client = Server::absent().client();
    let child = ChildRef { ike: None, child: "x".repeat(70_000) };
    let error = client.initiate(&child, LIMIT).await.unwrap_err();
    assert_eq!(error.to_string(), "`initiate`: a name or value is too long for a request");
}

#[tokio::test(start_paused = true)]
async fn terminating_what_is_gone_already_is_no_error() {
    for (answer, expected) in [
        ("success=yes matches=1 terminated=1", Ok(Ended::Down)),
        ("success=no matches=0 terminated=0 errmsg=no_matching_SAs_to_terminate_found", Ok(Ended::NothingThere)),
        (
            "success=no matches=1 terminated=0 errmsg=terminating_SA_failed",
            Err("`terminate`: terminating SA failed".to_owned()),
        ),
    ] {
        let server = Server::start();
        let client = server.client();
        let serve = async {
            let mut peer = server.accept().await;
            peer.expect("terminate ike-id=9 force=yes loglevel=-1").await;
            peer.respond(answer).await;
        };
        // Nothing would be without end.
        let (result, ()) = tokio::join!(client.terminate(SaId::Ike(9), Duration::ZERO), serve);
        assert_eq!(result.map_err(|error| error.to_string()), expected);
    }
}

#[tokio::test]
async fn a_tcp_endpoint_is_connected_to_by_the_network_context() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::Tcp(listener.local_addr().unwrap());
    let client = Strongswan::new(endpoint.clone(), host());
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut frames = tokio_util::codec::Framed::new(stream, super::super::codec::frames());
        let request = futures_util::StreamExt::next(&mut frames).await.unwrap().unwrap();
        assert!(matches!(Packet::decode(&request).unwrap(), Packet::Request(b"initiate", _)));
        let answer = super::super::server::message("success=yes");
        let packet = Packet::Response(answer.bytes()).encode().unwrap();
        futures_util::SinkExt::send(&mut frames, packet.as_slice()).await.unwrap();
    };
    let child = child();
    let (result, ()) = tokio::join!(client.initiate(&child, LIMIT), serve);
    result.unwrap();
    drop(listener);
    let error = client.view(Instant::now() + Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("no strongSwan answers at `{endpoint}`"));
}

use std::time::Duration;

use hickory_proto::op::{Message, MessageType};
use hickory_proto::rr::{RData, Record};
use tokio::net::UdpSocket;
use tokio_rustls::rustls::pki_types::UnixTime;

use super::*;
use crate::check::Way;
use crate::net::HostNet;

fn answer_to(question: &[u8], id: u16, address: &str) -> Vec<u8> {
    let mut message = Message::from_vec(question).unwrap();
    message.metadata.id = id;
    message.metadata.message_type = MessageType::Response;
    let name = message.queries[0].name().clone();
    message.add_answer(Record::from_rdata(name, 60, RData::A(address.parse().unwrap())));
    message.to_vec().unwrap()
}

#[tokio::test]
async fn a_lost_question_is_asked_again_and_a_forged_answer_is_not_believed() {
    let resolver = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = resolver.local_addr().unwrap().port();
    let answers = async {
        let mut datagram = [0; 512];
        resolver.recv_from(&mut datagram).await.unwrap();
        // The first one is lost. The second one gets a forged answer, and then the right one.
        let (length, from) = resolver.recv_from(&mut datagram).await.unwrap();
        let question = &datagram[..length];
        let id = Message::from_vec(question).unwrap().metadata.id;
        for (id, address) in [(id.wrapping_add(1), "192.0.2.66"), (id, "10.1.0.9")] {
            resolver.send_to(&answer_to(question, id, address), from).await.unwrap();
        }
        std::future::pending::<()>().await;
    };
    let net = HostNet::new("/etc/resolv.conf".into()).unwrap();
    let way = Way { net: &net, tunnel: None, routes_until: Instant::now() };
    let inside = Inside { way, ca_file: None, now: UnixTime::since_unix_epoch(Duration::ZERO) };
    let check = DnsCheck {
        name: "intranet.example.com".into(),
        ipv6: false,
        answers: vec!["10.1.0.9".parse().unwrap()],
        server: Some(([127, 0, 0, 1].into(), port)),
    };
    let mut measured = Measured::default();
    let deadline = Instant::now() + Duration::from_secs(2);
    let end = tokio::select! {
        end = run(&inside, &check, deadline, &mut measured) => end,
        () = answers => unreachable!("it waits for ever"),
    };
    assert_eq!(end, Ok("10.1.0.9 from 127.0.0.1 by lo".to_owned()));
    assert!(measured.took.unwrap() >= Duration::from_secs(1), "the time counts from the first question");
}

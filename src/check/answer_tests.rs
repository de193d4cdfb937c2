use hickory_proto::op::OpCode;
use hickory_proto::rr::Record;
use proptest::prelude::*;

use super::*;

fn question() -> Question {
    Question::new("intranet.example.com", false, 4711).unwrap()
}

fn answer(id: u16, name: &str, code: ResponseCode, data: Vec<RData>) -> Message {
    let name = Name::from_ascii(name).unwrap();
    let mut message = Message::response(id, OpCode::Query);
    message.metadata.response_code = code;
    message.add_query(Query::query(name.clone(), RecordType::A));
    for data in data {
        message.add_answer(Record::from_rdata(name.clone(), 60, data));
    }
    message
}

fn a(address: &str) -> RData {
    RData::A(address.parse().unwrap())
}

#[test]
fn an_answer_is_addresses_or_one_of_the_ways_to_have_none() {
    let name = "Intranet.Example.com.";
    let alias = RData::CNAME(hickory_proto::rr::rdata::CNAME(Name::from_ascii("web.example.com.").unwrap()));
    let addresses = |texts: &[&str]| Reply::Addresses(texts.iter().map(|t| t.parse().unwrap()).collect());
    for (message, expected) in [
        (
            answer(4711, name, ResponseCode::NoError, vec![a("10.1.0.9"), a("10.1.0.10")]),
            addresses(&["10.1.0.9", "10.1.0.10"]),
        ),
        (answer(4711, name, ResponseCode::NoError, vec![alias.clone(), a("10.1.0.9")]), addresses(&["10.1.0.9"])),
        (answer(4711, name, ResponseCode::NoError, vec![alias]), Reply::NoAddress),
        (answer(4711, name, ResponseCode::NoError, vec![]), Reply::NoAddress),
        (answer(4711, name, ResponseCode::NXDomain, vec![]), Reply::NoSuchName),
        (answer(4711, name, ResponseCode::Refused, vec![]), Reply::Refused("Query Refused".into())),
    ] {
        assert_eq!(question().read(&message.to_vec().unwrap()), Some(expected));
    }
    let mut cut = answer(4711, name, ResponseCode::NoError, vec![a("10.1.0.9")]);
    cut.metadata.truncation = true;
    assert_eq!(question().read(&cut.to_vec().unwrap()), Some(Reply::Truncated));
}

#[test]
fn an_answer_to_another_question_is_none() {
    let good = |id, name| answer(id, name, ResponseCode::NoError, vec![a("10.1.0.66")]).to_vec().unwrap();
    assert_eq!(question().read(&good(4712, "intranet.example.com.")), None, "another number");
    assert_eq!(question().read(&good(4711, "other.example.com.")), None, "another name");
    assert_eq!(question().read(&question().encode().unwrap()), None, "our own question, sent back");
    let other_type = Question::new("intranet.example.com", true, 4711).unwrap();
    assert_eq!(other_type.read(&good(4711, "intranet.example.com.")), None, "another type");
}

#[test]
fn resolvers_are_read_as_glibc_reads_them() {
    let text = "# nameserver 192.0.2.1\nnameserver 10.1.0.53\n\tnameserver\t10.1.0.54 # second\nnameserver fe80::1%eth0\n\
                nameservers 192.0.2.2\nnameserver nonsense\nnameserver 2001:db8::53\nnameserver 192.0.2.3\nsearch example.com\n";
    let expected: Vec<IpAddr> = ["10.1.0.53", "10.1.0.54", "2001:db8::53"].map(|t| t.parse().unwrap()).into();
    assert_eq!(servers_of(text), expected);
    assert_eq!(servers_of(""), Vec::<IpAddr>::new());
}

#[test]
fn a_name_in_any_script_is_asked_for_in_its_ascii_form() {
    let bytes = Question::new("bücher.example", false, 1).unwrap().encode().unwrap();
    assert!(bytes.windows(13).any(|part| part == b"xn--bcher-kva"));
    assert_eq!(Question::new(&"a".repeat(300), false, 1), None);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = question().read(&bytes);
    }
}

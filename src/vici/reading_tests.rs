//! What strongSwan says is read as what it means. The long messages are captures (strongSwan 5.9.8).

use super::super::MessageWriter;
use super::super::server::message;
use super::*;

const CONNECTION: &str = "pair {local_addrs=[192.0.2.1] remote_addrs=[192.0.2.2 gw.example.com] version=IKEv2 reauth_time=0
    rekey_time=14400 unique=UNIQUE_NO dpd_delay=2 local-1 {id=l class=pre-shared_key groups=[] cert_policy=[] certs=[] cacerts=[]}
    remote-1 {id=r class=pre-shared_key groups=[] cert_policy=[] certs=[] cacerts=[]}
    children {c1 {mode=TUNNEL rekey_time=3600 rekey_bytes=0 rekey_packets=0 dpd_action=trap close_action=none
    local-ts=[10.1.1.1/32] remote-ts=[10.2.1.1/32]} c2 {mode=TUNNEL rekey_time=3600 rekey_bytes=0 rekey_packets=0
    dpd_action=start close_action=trap local-ts=[10.1.2.1/32] remote-ts=[10.2.2.1/32]}}}";

const SA: &str = "pair {uniqueid=2 version=2 state=ESTABLISHED local-host=192.0.2.1 local-port=4500 local-id=l
    remote-host=192.0.2.2 remote-port=4500 remote-id=r initiator=yes initiator-spi=ba65c4b1210f3201
    responder-spi=8af1f75ecb514439 nat-remote=yes nat-any=yes encr-alg=AES_CBC encr-keysize=128 integ-alg=HMAC_SHA2_256_128
    prf-alg=PRF_HMAC_SHA2_256 dh-group=MODP_2048 established=61 rekey-time=13280 tasks-queued=[CHILD_REKEY]
    tasks-active=[IKE_DPD CHILD_CREATE] child-sas {c1-2 {name=c1 uniqueid=2 reqid=1 state=INSTALLED mode=TUNNEL protocol=ESP
    encap=yes spi-in=2d3bd6f8 spi-out=c4a16ec6 encr-alg=AES_CBC encr-keysize=128 integ-alg=HMAC_SHA2_256_128 bytes-in=168
    packets-in=2 use-in=5 bytes-out=18446744073709551615 packets-out=3 use-out=0 rekey-time=3525 life-time=3959 install-time=60
    local-ts=[10.1.1.1/32] remote-ts=[10.2.1.1/32]} c2-3 {name=c2 uniqueid=3 reqid=2 state=REKEYING mode=TUNNEL bytes-in=0
    packets-in=0 bytes-out=0 packets-out=0 install-time=1 local-ts=[10.1.2.1/32] remote-ts=[10.2.2.1/32]}}}";

fn connections(text: &str) -> Vec<ChildConfig> {
    read_connections(Section::parse(message(text).bytes()).unwrap()).collect()
}

fn sas(text: &str) -> Vec<IkeSa> {
    read_sas(Section::parse(message(text).bytes()).unwrap()).collect()
}

fn event(name: &str, text: &str) -> Option<String> {
    read_event(name.as_bytes(), Section::parse(message(text).bytes()).unwrap()).map(|event| format!("{event:?}"))
}

#[test]
fn a_connection_is_read_child_by_child() {
    let child = |child: &str, dpd_action, close_action| ChildConfig {
        ike: "pair".into(),
        child: child.into(),
        remote_addrs: vec!["192.0.2.2".into(), "gw.example.com".into()],
        dpd_action,
        close_action,
    };
    let expected = [child("c1", Action::Trap, Action::Nothing), child("c2", Action::Start, Action::Trap)];
    assert_eq!(connections(CONNECTION), expected);
}

#[test]
fn an_sa_is_read_with_its_children_its_counters_and_its_tasks() {
    let seconds = Duration::from_secs;
    let expected = IkeSa {
        name: "pair".into(),
        unique_id: 2,
        state: IkeState::Established,
        remote_host: Some("192.0.2.2".into()),
        established: Some(seconds(61)),
        tasks: ["IKE_DPD", "CHILD_CREATE", "CHILD_REKEY"].map(String::from).to_vec(),
        children: vec![
            ChildSa {
                name: "c1".into(),
                unique_id: 2,
                state: ChildState::Installed,
                installed: Some(seconds(60)),
                inbound: Traffic { bytes: 168, packets: 2, idle: Some(seconds(5)) },
                outbound: Traffic { bytes: u64::MAX, packets: 3, idle: Some(seconds(0)) },
            },
            ChildSa {
                name: "c2".into(),
                unique_id: 3,
                state: ChildState::Rekeying,
                installed: Some(seconds(1)),
                inbound: Traffic::default(),
                outbound: Traffic::default(),
            },
        ],
    };
    assert_eq!(sas(SA), [expected]);
}

#[test]
fn the_name_of_a_child_is_its_configurations_however_its_section_is_called() {
    for (children, expected) in [
        ("a {state=INSTALLED}", &["a"][..]),
        ("a-1 {name=a state=INSTALLED}", &["a"]),
        ("a-1 {name=a-1 state=INSTALLED}", &["a-1"]),
        ("a-1 {state=INSTALLED}", &["a-1"]),
        // Old versions call both the same.
        ("a {state=REKEYED uniqueid=1} a {state=INSTALLED uniqueid=2}", &["a", "a"]),
    ] {
        let sa = &sas(&format!("gw {{uniqueid=1 state=ESTABLISHED child-sas {{{children}}}}}"))[0];
        assert_eq!(sa.children.iter().map(|child| child.name.as_str()).collect::<Vec<_>>(), expected, "{children}");
    }
}

#[test]
fn what_is_missing_or_odd_is_absent_and_never_an_error() {
    let sa =
        &sas("gw {state=TANGLED established=-1 child-sas {a {state=(12) bytes-in=many install-time=} b {name=b}}}")[0];
    assert_eq!((sa.unique_id, sa.state, sa.established), (0, IkeState::Unknown, None));
    let [child] = sa.children.as_slice() else { panic!("{:?}", sa.children) };
    assert_eq!((child.unique_id, child.state, child.installed), (0, ChildState::Unknown, None));
    assert_eq!(child.inbound, Traffic::default());
    assert!(sas("").is_empty());
    assert!(sas("gw {state=CONNECTING}")[0].children.is_empty());
    assert!(connections("gw {version=IKEv2}").is_empty());
    assert_eq!(connections("gw {children {a {mode=TUNNEL}}}")[0].dpd_action, Action::Nothing);
}

#[test]
fn one_name_that_is_not_utf_8_hides_no_other() {
    let mut out = MessageWriter::default();
    for name in [&b"m\xfcnchen"[..], b"paris"] {
        out.begin_section(name).unwrap();
        out.value(b"state", b"ESTABLISHED").unwrap();
        out.end_section();
    }
    let names: Vec<_> = read_sas(Section::parse(out.bytes()).unwrap()).map(|sa| sa.name).collect();
    assert_eq!(names, ["m\u{fffd}nchen", "paris"]);
}

#[test]
fn every_state_has_its_name() {
    let ike = "CREATED CONNECTING ESTABLISHED PASSIVE REKEYING REKEYED DELETING DESTROYING";
    assert!(ike.split(' ').all(|state| format!("{:?}", ike_state(Some(state))).eq_ignore_ascii_case(state)));
    let child = "CREATED ROUTED INSTALLING INSTALLED UPDATING REKEYING REKEYED RETRYING DELETING DELETED DESTROYING";
    assert!(child.split(' ').all(|state| format!("{:?}", child_state(Some(state))).eq_ignore_ascii_case(state)));
}

#[test]
fn an_action_has_had_several_names() {
    for (words, expected) in
        [("none clear", Action::Nothing), ("trap hold", Action::Trap), ("start restart START", Action::Start)]
    {
        assert!(words.split(' ').all(|word| action(Some(word)) == expected), "{words}");
    }
    assert_eq!(action(Some("trap | start")), Action::Start);
    assert_eq!(action(Some("(0x4)")), Action::Nothing);
    assert_eq!(action(None), Action::Nothing);
}

#[test]
fn events_say_what_went_which_way() {
    for (name, text, expected) in [
        (
            "child-updown",
            "up=yes pair {uniqueid=2 child-sas {c1-7 {name=c1 uniqueid=7 state=INSTALLED}}}",
            Some(r#"Child { ike: "pair", ike_id: 2, child: "c1", child_id: 7, direction: Up }"#),
        ),
        (
            "child-updown",
            "pair {uniqueid=2 child-sas {c1 {uniqueid=7 state=INSTALLED}}}",
            Some(r#"Child { ike: "pair", ike_id: 2, child: "c1", child_id: 7, direction: Down }"#),
        ),
        // A connection may be called like anything.
        ("ike-updown", "up {uniqueid=2 state=DELETING}", Some(r#"Ike { ike: "up", ike_id: 2, direction: Down }"#)),
        ("ike-updown", "up=yes up {uniqueid=2}", Some(r#"Ike { ike: "up", ike_id: 2, direction: Up }"#)),
        (
            "child-rekey",
            "pair {uniqueid=2 child-sas {c1 {old {name=c1 uniqueid=7} new {name=c1 uniqueid=8}}}}",
            Some(r#"Rekeyed { ike: "pair", ike_id: 2, child: "c1", old_id: 7, new_id: 8 }"#),
        ),
        ("child-rekey", "pair {uniqueid=2 child-sas {c1 {old {uniqueid=7}}}}", None),
        ("child-updown", "pair {uniqueid=2}", None),
        ("child-updown", "", None),
        ("ike-rekey", "pair {uniqueid=2}", None),
    ] {
        assert_eq!(event(name, text).as_deref(), expected, "{name} {text}");
    }
}

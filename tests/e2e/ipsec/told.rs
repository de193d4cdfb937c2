//! What people are told of a tunnel that falls: mails of the lab's server.

use super::{Pair, Side, Tunnel};
use crate::lab::Lab;

const A: Tunnel = Tunnel::A;

#[test]
fn a_tunnel_that_falls_again_and_again_is_two_notices_then_an_alert_then_an_outage() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let setup = pair.site(A, "").email("server: 10.79.0.1");
    let restored = |fall: &dyn Fn()| {
        fall();
        setup.run(&["test", "--record"]).exits(0);
        let mails = lab.mails();
        let mail = mails.last().unwrap();
        (mails.len(), mail.header("Subject"), mail.text.replace("=\n", ""))
    };
    let ike_sa = || pair.delete_ike(Side::Prober, A);
    let (mails, subject, text) = restored(&ike_sa);
    assert_eq!(mails, 1);
    assert!(subject.starts_with("[vpnprobe] net-a restored after "), "{subject}");
    assert!(subject.ends_with(" s: sa sa-missing (tunnel)"), "{subject}");
    for words in
        ["it carries traffic again since", "Restart:         restored within ", "once in the last hour", "  Tunnel: "]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (mails, subject, _) = restored(&|| pair.delete_child(Side::Peer, A));
    assert!(mails == 2 && subject.ends_with(" s: sa sa-not-installed (tunnel)"), "{subject}");
    let (mails, subject, _) = restored(&ike_sa);
    assert_eq!(mails, 3);
    assert_eq!(
        subject,
        "[vpnprobe] net-a FALLS again and again, restored 3 times within an hour: sa sa-missing (tunnel)"
    );

    // A fourth restart within the hour is not allowed.
    ike_sa();
    for _ in 0..2 {
        setup.run(&["test", "--record"]).exits(1);
    }
    let mails = lab.mails();
    assert_eq!(mails.len(), 4);
    assert_eq!(mails[3].header("Subject"), "[vpnprobe] net-a DOWN: sa sa-missing (tunnel), then restart-limit");
    let words = "Restart:         restart-limit: restarted 3 times within the last hour";
    assert!(mails[3].text.contains(words), "{}", mails[3].text);
    pair.initiate(A);
    setup.run(&["test", "--record"]).exits(0);
    let mails = lab.mails();
    assert!(mails.len() == 5 && mails[4].header("In-Reply-To") == mails[3].header("Message-ID"), "{mails:?}");
}

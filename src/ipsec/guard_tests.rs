use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::ipsec::assess::assess;
use crate::ipsec::fake::{busy, child, child_in, config, ike, ike_in, target};
use crate::vici::{ChildSa, ChildState};

fn now() -> DateTime<Utc> {
    "2026-11-20T06:00:00Z".parse().unwrap()
}

fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

const SILENT: Inside = Inside::Silent { asked: Duration::from_secs(5) };

/// A situation in which a tunnel that is not well is restarted; each case changes what it is about.
#[derive(Debug, Clone)]
struct Case {
    configured: Vec<ChildConfig>,
    installed: Vec<IkeSa>,
    inside: Inside,
    policy: RestartPolicy,
    history: History,
    stale: BTreeSet<u32>,
    uplink_down: bool,
    maintenance: bool,
}

impl Case {
    fn new(installed: Vec<IkeSa>) -> Self {
        Self {
            configured: vec![config("gw", "net"), config("gw", "voice")],
            installed,
            inside: Inside::NotAsked,
            policy: RestartPolicy::default(),
            history: History { restarts: vec![], ill_since: Some(ago(120)), recovering_since: None },
            stale: BTreeSet::new(),
            uplink_down: false,
            maintenance: false,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn decide(&self, target: &ChildRef) -> Decision {
        let view = View { configured: self.configured.clone(), installed: self.installed.clone() };
        decide(&Situation {
            target,
            view: &view,
            assessment: &assess(&view, target),
            inside: self.inside,
            policy: &self.policy,
            history: &self.history,
            stale: &self.stale,
            uplink_down: self.uplink_down,
            maintenance: self.maintenance,
            now: now(),
        })
    }

    fn words(&self) -> String {
        match self.decide(&target("net")) {
            Decision::Nothing => "nothing".to_owned(),
            Decision::OnlyWatched => "only watched".to_owned(),
            Decision::Leave { until, why } => format!("left for {} ms: {why}", (until - now()).num_milliseconds()),
            Decision::Refused(refusal) => format!("refused: {refusal}"),
            Decision::Act(plan) => plan.steps().join("; "),
        }
    }
}

fn up() -> Vec<IkeSa> {
    vec![ike("gw", 1, vec![child("net", 7), child("voice", 8)])]
}

fn connecting() -> Vec<IkeSa> {
    vec![ike_in(IkeState::Connecting, ike("gw", 1, vec![]))]
}

const INITIATED: &str = "initiate CHILD_SA net";

#[test]
fn what_is_well_is_left_alone() {
    for (case, expected) in [
        (Case::new(up()), "nothing"),
        (Case::new(up()).with(|it| it.inside = Inside::Reached), "nothing"),
        (Case::new(up()).with(|it| it.stale = [7].into()), "nothing"),
        (Case::new(vec![ike("gw", 1, vec![child_in(ChildState::Rekeying, "net", 7)])]), "nothing"),
        (Case::new(vec![]).with(|it| it.policy.enabled = false), "only watched"),
        (
            Case::new(up()).with(|it| {
                it.inside = SILENT;
                it.policy.enabled = false;
            }),
            "only watched",
        ),
    ] {
        assert_eq!(case.words(), expected, "{case:?}");
    }
}

#[test]
fn a_tunnel_is_initiated_also_where_nothing_is_there_to_take_down() {
    for (case, expected) in [
        (Case::new(vec![]), INITIATED.to_owned()),
        (
            Case::new(vec![ike("gw", 1, vec![])]),
            format!("{INITIATED}; if that fails: terminate IKE_SA #1, on which nothing lives, and initiate again"),
        ),
        (
            Case::new(vec![ike("gw", 1, vec![child("voice", 8)])]),
            format!("{INITIATED}; leave IKE_SA #1 alone: voice lives on it"),
        ),
        (Case::new(vec![ike("gw", 1, vec![child_in(ChildState::Routed, "net", 0)])]), {
            format!("{INITIATED}; if that fails: terminate IKE_SA #1, on which nothing lives, and initiate again")
        }),
        (Case::new(vec![ike("other", 1, vec![child("net", 7)])]), INITIATED.to_owned()),
    ] {
        assert_eq!(case.words(), expected, "{case:?}");
    }
}

#[test]
fn a_silent_tunnel_is_taken_down_by_its_child_sa_alone_while_another_lives_beside_it() {
    let case = Case::new(up()).with(|it| it.inside = SILENT);
    let beginning = format!("terminate CHILD_SA net #7; {INITIATED}");
    assert_eq!(case.words(), format!("{beginning}; leave IKE_SA #1 alone: voice lives on it"));
    let both = case.with(|it| it.stale = [8].into());
    assert_eq!(
        both.words(),
        format!(
            "{beginning}; if that fails: terminate IKE_SA #1, on which nothing lives, and initiate again; \
             initiate CHILD_SA voice too, if its IKE_SA was taken down"
        )
    );
}

#[test]
fn strongswans_own_recovery_has_its_grace() {
    let since = |seconds: i64| Case::new(connecting()).with(|it| it.history.recovering_since = Some(ago(seconds)));
    let left = |ms: u32| format!("left for {ms} ms: strongSwan is at work on it: IKE_SA #1 is CONNECTING");
    let acted = format!("terminate IKE_SA #1, on which strongSwan has tried in vain; {INITIATED}");
    for (case, expected) in [
        (Case::new(connecting()), left(45_000)),
        (since(0), left(45_000)),
        (since(44), left(1000)),
        (since(45), acted.clone()),
        // The clock was set back by an hour.
        (since(-3600), left(45_000)),
        (since(5).with(|it| it.policy.grace = Duration::ZERO), acted.clone()),
        (since(5).with(|it| it.policy.grace = Duration::MAX), "left".to_owned()),
        (
            Case::new(vec![busy("CHILD_CREATE", ike("gw", 1, vec![child("voice", 8)]))])
                .with(|it| it.history.recovering_since = Some(ago(50))),
            format!("{INITIATED}; leave IKE_SA #1 alone: voice lives on it"),
        ),
    ] {
        let words = case.words();
        assert!(words == expected || expected == "left" && words.starts_with("left"), "{case:?}: {words}");
    }
}

#[test]
fn a_silent_tunnel_is_left_while_strongswan_asks_for_its_peer_and_would_make_it_anew() {
    let dpd = |task: &str, action: Action| {
        Case::new(vec![busy(task, ike("gw", 1, vec![child("net", 7)]))]).with(|it| {
            it.inside = SILENT;
            it.configured[0].dpd_action = action;
        })
    };
    let asks = "left for 45000 ms: strongSwan asks whether the peer is alive, and acts if it is not";
    assert_eq!(dpd("IKE_DPD", Action::Start).words(), asks);
    assert_eq!(dpd("IKE_MOBIKE", Action::Start).words(), asks);
    assert!(dpd("IKE_DPD", Action::Trap).words().starts_with("terminate CHILD_SA net #7"));
    assert!(dpd("CHILD_REKEY", Action::Start).words().starts_with("terminate CHILD_SA net #7"));
    let after = dpd("IKE_DPD", Action::Start).with(|it| it.history.recovering_since = Some(ago(45)));
    assert!(after.words().starts_with("terminate CHILD_SA net #7"));
    let anew = Case::new([up(), vec![ike_in(IkeState::Connecting, ike("gw", 2, vec![]))]].concat());
    let words = anew.with(|it| it.inside = SILENT).words();
    assert_eq!(words, "left for 45000 ms: strongSwan is at work on it: IKE_SA #2 is CONNECTING");
}

#[test]
fn a_tunnel_that_strongswan_would_make_anew_by_itself_has_a_moment_after_its_fall() {
    let fallen = |action: Action, ms: i64| {
        Case::new(vec![])
            .with(|it| {
                it.configured[0].close_action = action;
                it.history.ill_since = Some(now() - TimeDelta::milliseconds(ms));
            })
            .words()
    };
    let left = "it has just fallen, and strongSwan is configured to make it anew";
    assert_eq!(fallen(Action::Start, 0), format!("left for 250 ms: {left}"));
    assert_eq!(fallen(Action::Start, 200), format!("left for 50 ms: {left}"));
    // With keyingtries=1 it has given up by then, for ever.
    assert_eq!(fallen(Action::Start, 250), INITIATED);
    assert_eq!(fallen(Action::Trap, 0), INITIATED);
    assert_eq!(fallen(Action::Nothing, 0), INITIATED);
}

#[test]
fn a_moment_that_does_not_tell_is_looked_at_again() {
    let case = Case::new(vec![ike("gw", 1, vec![child_in(ChildState::Rekeyed, "net", 7)])]);
    assert_eq!(case.words(), "left for 1000 ms: its SAs are on the move");
}

#[test]
fn a_tunnel_that_came_up_after_the_probe_began_is_not_called_silent() {
    let aged = |seconds: Option<u64>| {
        let young = ChildSa { installed: seconds.map(Duration::from_secs), ..child("net", 7) };
        Case::new(vec![ike("gw", 1, vec![young])]).with(|it| it.inside = SILENT).words()
    };
    assert_eq!(aged(Some(4)), "left for 1000 ms: it has only just come up");
    assert!(aged(Some(5)).starts_with("terminate CHILD_SA net #7"));
    assert!(aged(None).starts_with("terminate CHILD_SA net #7"));
}

#[test]
fn what_forbids_a_restart_is_told() {
    let case = || Case::new(vec![]);
    let three = [3000, 1800, 60].map(|seconds| now() - TimeDelta::seconds(seconds)).to_vec();
    let limited = |restarts: Vec<DateTime<Utc>>, limit: u32| {
        case().with(|it| {
            it.history.restarts = restarts;
            it.policy.max_per_hour = limit;
        })
    };
    for (case, expected) in [
        (case().with(|it| it.uplink_down = true), "refused: the own uplink is down"),
        (case().with(|it| it.maintenance = true), "refused: maintenance"),
        (
            case().with(|it| it.configured.push(config("gw2", "net"))),
            "refused: several connections have a child of this name",
        ),
        (case().with(|it| it.configured.clear()), "refused: strongSwan has no such configuration"),
        (
            case().with(|it| it.configured[0].remote_addrs = vec!["%any".into()]),
            "refused: its configuration has no address of the peer (`remote_addrs`): only the peer can bring it up",
        ),
        (
            case().with(|it| it.configured[0].remote_addrs = vec!["0.0.0.0/0".into(), "::/0".into()]),
            "refused: its configuration has no address of the peer (`remote_addrs`): only the peer can bring it up",
        ),
        (case().with(|it| it.configured[0].remote_addrs = vec!["%any".into(), "vpn.example.com".into()]), INITIATED),
        (case().with(|it| it.configured[0].remote_addrs.clear()), INITIATED),
        (
            limited(three.clone(), 3),
            "refused: restarted 3 times within the last hour; the next is allowed at 06:10:00 UTC",
        ),
        (
            limited(three.clone(), 2),
            "refused: restarted 3 times within the last hour; the next is allowed at 06:30:00 UTC",
        ),
        (limited(three, 4), INITIATED),
        (limited(vec![], 0), "refused: `max_per_hour` allows none"),
        // What is at work is left, not refused: the limit is of ours.
        (
            limited(vec![], 0).with(|it| it.installed = connecting()),
            "left for 45000 ms: strongSwan is at work on it: IKE_SA #1 is CONNECTING",
        ),
        (Case::new(up()).with(|it| it.uplink_down = true), "nothing"),
    ] {
        assert_eq!(case.words(), expected, "{case:?}");
    }
}

fn any_child(names: &'static [&'static str]) -> impl Strategy<Value = ChildSa> {
    use ChildState::{
        Created, Deleted, Deleting, Destroying, Installed, Installing, Rekeyed, Rekeying, Retrying, Routed, Unknown,
        Updating,
    };
    let state = prop::sample::select(vec![
        Created, Routed, Installing, Installed, Installed, Installed, Updating, Rekeying, Rekeyed, Retrying, Deleting,
        Deleted, Destroying, Unknown,
    ]);
    (prop::sample::select(names), state).prop_map(|(name, state)| child_in(state, name, 0))
}

fn any_ike() -> impl Strategy<Value = IkeSa> {
    use IkeState::{Connecting, Created, Deleting, Destroying, Established, Passive, Rekeyed, Rekeying, Unknown};
    let state = prop::sample::select(vec![
        Created,
        Connecting,
        Established,
        Established,
        Established,
        Passive,
        Rekeying,
        Rekeyed,
        Deleting,
        Destroying,
        Unknown,
    ]);
    let tasks = prop::collection::vec(
        prop::sample::select(vec!["CHILD_CREATE", "IKE_DPD", "CHILD_DELETE"]).prop_map(str::to_owned),
        0..2,
    );
    let children = prop::collection::vec(any_child(&["net", "voice", "guests"]), 0..5);
    (prop::sample::select(vec!["gw", "gw2"]), state, tasks, children).prop_map(|(name, state, tasks, children)| IkeSa {
        state,
        tasks,
        ..ike(name, 0, children)
    })
}

/// Any daemon's list, with its numbers.
fn any_installed() -> impl Strategy<Value = Vec<IkeSa>> {
    prop::collection::vec(any_ike(), 0..4).prop_map(|mut ikes| {
        let mut next = 0;
        for (number, ike) in (1..).zip(&mut ikes) {
            ike.unique_id = number;
            for child in &mut ike.children {
                next += 1;
                child.unique_id = next;
            }
        }
        ikes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn whatever_is_there_no_plan_touches_an_sa_on_which_another_tunnel_lives(
        installed in any_installed(),
        silent in any::<bool>(),
        stale in prop::collection::btree_set(1_u32..16, 0..6),
    ) {
        let mut case = Case::new(installed.clone());
        case.configured = vec![config("gw", "net"), config("gw", "voice"), config("gw2", "net"), config("gw2", "guests")];
        case.inside = if silent { SILENT } else { Inside::NotAsked };
        case.history.recovering_since = Some(ago(60));
        case.stale.clone_from(&stale);
        let own = ChildRef { ike: Some("gw".into()), child: "net".into() };
        let Decision::Act(plan) = case.decide(&own) else { return Ok(()) };
        for id in &plan.children {
            let owner = installed.iter().find(|ike| ike.children.iter().any(|child| child.unique_id == *id));
            let owner = owner.expect("what is taken down is there");
            prop_assert_eq!(owner.name.as_str(), "gw");
            prop_assert!(owner.children.iter().any(|child| child.unique_id == *id && child.name == "net"));
        }
        for id in plan.ike_first.iter().chain(&plan.ike_then) {
            let taken = installed.iter().find(|ike| ike.unique_id == *id).expect("what is taken down is there");
            prop_assert_eq!(taken.name.as_str(), "gw");
            for child in taken.children.iter().filter(|child| child.name != "net") {
                let carries = matches!(
                    child.state,
                    ChildState::Installed | ChildState::Rekeying | ChildState::Rekeyed | ChildState::Updating
                );
                prop_assert!(!carries || stale.contains(&child.unique_id), "{child:?} lives on {id}");
            }
            if !silent {
                prop_assert!(!taken.children.iter().any(|child| child.state == ChildState::Installed
                    && child.name == "net"), "a CHILD_SA of its own is up on {id}");
            }
        }
    }
}

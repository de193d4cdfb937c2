//! Many sites looked at one after another: who is told of what.

use super::*;
use crate::alert::AlertKind;
use crate::record::{FailureKind, MalfunctionKind, PasswordTerm};

const INTERVAL: Duration = Duration::from_mins(10);

fn second(seconds: i64) -> DateTime<Utc> {
    "2026-11-20T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::seconds(seconds)
}

/// A prober with some sites, each of which takes five seconds of a pass.
struct Prober {
    state: AlertState,
    rules: AlertRules,
    at: i64,
    /// What was told, a word each: `paris!` down, `paris~` up again, `*!` all sites, `paris?` blind, `paris.` no more.
    told: Vec<String>,
    /// The ids of it.
    ids: Vec<String>,
}

impl Prober {
    fn new(rules: AlertRules) -> Self {
        Self { state: AlertState::default(), rules, at: 0, told: Vec::new(), ids: Vec::new() }
    }

    fn note(&mut self, events: Vec<AlertEvent>) {
        for event in events {
            let mark = match event.kind {
                AlertKind::Triggered { .. } => '!',
                AlertKind::Resolved { .. } => '~',
                AlertKind::Reminder { .. } => 'r',
                AlertKind::Blind { .. } => '?',
                AlertKind::BlindOver { .. } => '.',
                AlertKind::Flapping { .. } | AlertKind::FlappingDigest { .. } | AlertKind::FlappingOver { .. } => {
                    continue;
                }
                kind => panic!("{kind:?}"),
            };
            let name = if event.subject == "all sites of edge-1" { "*" } else { event.subject.as_str() };
            self.told.push(format!("{name}{mark}"));
            self.ids.push(event.id);
        }
    }

    /// A look; the time passes, and what waits long enough is told.
    fn look(&mut self, seen: Observation) {
        let seen = Observation { facts: AlertFacts { prober: "edge-1".into(), ..seen.facts }, ..seen };
        let ends = second(self.at + 5);
        let events = self.state.observe(&seen, self.rules, ends);
        self.note(events);
        self.wait(5);
    }

    fn wait(&mut self, seconds: i64) {
        self.at += seconds;
        let released = self.state.release(second(self.at));
        self.note(released);
    }

    /// A pass, a letter for each site, whose name it is in the order of the alphabet: `u`p, `l`ogin fails, `i`nside fails,
    /// `r`efused account, `?` no PTY, `x` no client, `p`aused, `m` fails at the login in maintenance; `-` not looked at. Then what was told
    /// in it, and the next pass is due.
    fn pass(&mut self, sites: &str) -> String {
        let began = self.at;
        self.told.clear();
        for (name, site) in ('a'..).zip(sites.chars()) {
            let mut seen = Observation::of(name, Verdict::Up, second(self.at), INTERVAL);
            match site {
                'u' => {}
                'l' | 'm' => {
                    seen.verdict = Verdict::Down;
                    (seen.facts.stage, seen.facts.reason) =
                        (Some(Stage::Login), Some(FailureKind::LoginTimeout.into()));
                    seen.silenced = site == 'm';
                }
                'r' => {
                    seen.verdict = Verdict::Down;
                    (seen.facts.stage, seen.facts.reason) =
                        (Some(Stage::Login), Some(FailureKind::AuthRejected.into()));
                    seen.identity_failure = true;
                }
                'i' => {
                    seen.verdict = Verdict::Down;
                    seen.facts.stage = Some(Stage::Internal);
                    seen.facts.reason = Some(FailureKind::InternalUnreachable.into());
                }
                '?' => {
                    seen.verdict = Verdict::Unknown;
                    (seen.facts.stage, seen.facts.reason) = (Some(Stage::Login), Some(MalfunctionKind::NoPty.into()));
                }
                'x' => {
                    seen.verdict = Verdict::Unknown;
                    (seen.facts.stage, seen.facts.reason) =
                        (Some(Stage::Login), Some(MalfunctionKind::ClientMissing.into()));
                }
                'p' => {
                    seen.verdict = Verdict::Unknown;
                    seen.facts.reason = Some(MalfunctionKind::AccountPaused.into());
                    seen.paused = true;
                }
                '-' => continue,
                other => panic!("{other}"),
            }
            self.look(seen);
        }
        let told = std::mem::take(&mut self.told).join(" ");
        // A restart changes nothing.
        let configured = std::mem::take(&mut self.state.configured);
        self.state = serde_json::from_str(&serde_json::to_string(&self.state).unwrap()).unwrap();
        self.state.configured = configured;
        self.wait(600 - (self.at - began));
        self.told.iter().fold(told, |told, later| format!("{told} later:{later}")).trim().to_owned()
    }
}

#[track_caller]
fn walk(rules: AlertRules, passes: &[(&str, &str)]) {
    let mut prober = Prober::new(rules);
    for (number, (sites, expected)) in passes.iter().enumerate() {
        assert_eq!(prober.pass(sites), *expected, "pass {number}: {sites}");
    }
}

fn after(after: u32) -> AlertRules {
    AlertRules { after, ..AlertRules::default() }
}

#[test]
fn all_that_fail_at_one_stage_are_told_in_one_message_and_its_end_in_one() {
    walk(after(2), &[("uuuu", ""), ("llll", ""), ("llll", "*!"), ("llll", ""), ("uuuu", "*~"), ("uuuu", "")]);
}

#[test]
fn the_reasons_may_differ_but_not_the_stages() {
    walk(after(2), &[("uuu", ""), ("lrl", "*!"), ("lpl", "")]);
    walk(after(2), &[("uuu", ""), ("lil", ""), ("lil", "a! b! c!")]);
}

#[test]
fn told_at_the_first_they_wait_for_each_other() {
    walk(after(1), &[("uuuu", ""), ("llll", "*!"), ("uuuu", "*~")]);
    walk(after(2), &[("uuuu", ""), ("rrrr", "*!"), ("uuuu", "*~")]);
}

#[test]
fn one_that_fails_alone_is_told_when_the_next_is_up() {
    let mut prober = Prober::new(after(1));
    prober.pass("uuu");
    let seen = |name: &str, verdict, at| {
        let stage = (verdict == Verdict::Down).then_some(Stage::Login);
        let facts = AlertFacts { stage, ..AlertFacts::default() };
        Observation { facts, ..Observation::of(name, verdict, second(at), INTERVAL) }
    };
    prober.look(seen("a", Verdict::Down, 600));
    assert_eq!(prober.told, [""; 0], "it may be that all fail");
    prober.look(seen("b", Verdict::Up, 605));
    assert_eq!(prober.told, ["a!"]);
    walk(after(1), &[("uuu", ""), ("ulu", "b!"), ("uuu", "b~"), ("uul", "c!"), ("lul", "a!"), ("uuu", "a~ c~")]);
}

#[test]
fn nobody_waits_longer_than_two_minutes_or_for_one_that_is_not_looked_at() {
    let mut prober = Prober::new(after(1));
    prober.pass("uu");
    // The other one's cycle hangs.
    assert_eq!(prober.pass("l-"), "later:a!");
    // The other one is looked at once an hour.
    let mut prober = Prober::new(after(1));
    let hourly = Observation::of("b", Verdict::Up, second(0), Duration::from_hours(1));
    prober.look(hourly);
    prober.wait(595);
    assert_eq!(prober.pass("l-"), "a!");
}

#[test]
fn those_that_were_never_looked_at_are_waited_for_and_those_no_longer_configured_not() {
    let mut prober = Prober::new(after(1));
    prober.state.configured = ["a", "b", "c"].map(str::to_owned).into();
    assert_eq!(prober.pass("lll"), "*!");
    assert_eq!(prober.pass("uuu"), "*~");
    prober.state.configured = ["a", "b"].map(str::to_owned).into();
    assert_eq!(prober.pass("ll"), "*!", "c was up");
    let mut prober = Prober::new(after(1));
    prober.state.configured = ["a", "b", "c"].map(str::to_owned).into();
    assert_eq!(prober.pass("ll-"), "later:a! later:b!", "c is not reached: its cycle hangs, or another's before it");
}

#[test]
fn a_site_alone_waits_for_nobody() {
    walk(after(1), &[("u", ""), ("l", "a!"), ("u", "a~")]);
}

#[test]
fn what_still_is_down_when_others_are_up_is_told_at_its_next_look() {
    walk(after(2), &[("uuu", ""), ("lll", ""), ("lll", "*!"), ("ull", "*~ b! c!"), ("ulu", "c~"), ("uuu", "b~")]);
    walk(after(2), &[("uuu", ""), ("lll", ""), ("lll", "*!"), ("llu", "*~"), ("llu", "a! b!")]);
}

#[test]
fn what_was_told_before_of_one_is_told_to_its_end() {
    walk(after(1), &[("uuu", ""), ("luu", "a!"), ("lll", "*!"), ("lll", ""), ("uuu", "a~ *~")]);
    let hourly = AlertRules { reminder: Duration::from_mins(30), ..after(1) };
    let story = [("uu", ""), ("lu", "a!"), ("ll", "*!"), ("ll", ""), ("ll", ""), ("ll", "*r"), ("ul", "a~ *~ b!")];
    walk(hourly, &story);
}

#[test]
fn those_that_say_nothing_are_left_out() {
    // In maintenance, paused, or not to be told of.
    walk(after(2), &[("uuuu", ""), ("lmlp", ""), ("lmlp", "*!"), ("lmlp", ""), ("uuuu", "*~")]);
    walk(after(2), &[("uuu", ""), ("l?l", ""), ("l?l", "*!"), ("??l", ""), ("uuu", "*~")]);
    // One that goes on alone has nothing in common with anybody.
    walk(after(2), &[("uu", ""), ("lm", ""), ("lm", "a!")]);
}

#[test]
fn all_that_fail_at_another_stage_are_another_story_with_another_name() {
    let passes = [("uuu", ""), ("lll", ""), ("lll", "*!"), ("iii", "*~ *!"), ("lll", "*~ *!"), ("uuu", "*~")];
    walk(after(2), &passes);
    let mut prober = Prober::new(after(2));
    for (sites, _) in passes {
        prober.pass(sites);
    }
    let mut ids = prober.ids.clone();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), prober.ids.len()), (6, 6), "{:?}", prober.ids);
}

#[test]
fn while_all_accounts_rest_people_are_reminded() {
    let rules = AlertRules { reminder: Duration::from_mins(30), ..after(2) };
    walk(rules, &[("uu", ""), ("rr", "*!"), ("pp", ""), ("pp", ""), ("pp", "*r"), ("pp", ""), ("uu", "*~")]);
}

#[test]
fn what_one_is_owed_from_elsewhere_makes_nobody_elses_failure_due() {
    // In maintenance, down for long.
    walk(after(2), &[("uuu", ""), ("uum", ""), ("uum", ""), ("llm", ""), ("uum", "")]);
    // No longer configured, and never told of.
    let mut prober = Prober::new(after(2));
    for sites in ["uuu", "lll", "lll"] {
        prober.pass(sites);
    }
    prober.state.configured = ["a", "b"].map(str::to_owned).into();
    assert_eq!(prober.pass("uu"), "*~");
    assert_eq!(prober.pass("ll"), "", "one cycle");
}

#[test]
fn a_site_that_is_added_meanwhile_makes_nobody_told_of_singly() {
    let mut prober = Prober::new(after(2));
    prober.state.configured = ["a", "b"].map(str::to_owned).into();
    for sites in ["uu", "ll", "ll"] {
        prober.pass(sites);
    }
    prober.state.configured = ["a", "b", "c"].map(str::to_owned).into();
    assert_eq!(prober.pass("ll-"), "");
    assert_eq!(prober.pass("lll"), "");
}

#[test]
fn one_that_waits_and_is_in_maintenance_by_then_waits_for_its_end() {
    let mut prober = Prober::new(after(1));
    prober.pass("uu");
    let facts = AlertFacts { stage: Some(Stage::Login), ..AlertFacts::default() };
    let down = Observation { facts, ..Observation::of("a", Verdict::Down, second(600), INTERVAL) };
    prober.look(down.clone());
    prober.look(Observation { at: second(620), silenced: true, ..down.clone() });
    prober.wait(300);
    assert!(prober.told.is_empty(), "{:?}", prober.told);
    prober.look(Observation { at: second(prober.at), ..down });
    prober.wait(130);
    assert_eq!(prober.told, ["a!"]);
}

#[test]
fn a_prober_that_is_blind_for_all_says_so_once() {
    let rules = AlertRules { blind_after: Duration::from_mins(20), ..after(2) };
    walk(rules, &[("uuu", ""), ("???", ""), ("???", ""), ("???", "*?"), ("???", ""), ("uuu", "*."), ("uuu", "")]);
    walk(rules, &[("uuu", ""), ("u?u", ""), ("u?u", ""), ("u?u", "b?"), ("uuu", "b.")]);
    // For another reason: none can be told of still.
    walk(rules, &[("uuu", ""), ("???", ""), ("???", ""), ("???", "*?"), ("?x?", ""), ("uuu", "*.")]);
    walk(
        rules,
        &[("uu", ""), ("ll", ""), ("ll", "*!"), ("??", ""), ("??", ""), ("??", "*?"), ("?x", ""), ("ll", "*.")],
    );
    // No PTY, then nothing in common any more: told singly.
    walk(rules, &[("uuu", ""), ("???", ""), ("???", ""), ("???", "*?"), ("u??", "*. b? c?")]);
}

#[test]
fn down_then_blind_are_two_stories() {
    let rules = AlertRules { blind_after: Duration::from_mins(20), ..after(1) };
    walk(rules, &[("uu", ""), ("ll", "*!"), ("??", ""), ("??", ""), ("??", "*?"), ("ll", "*."), ("uu", "*~")]);
}

#[test]
fn at_the_end_of_the_prober_nobody_waits() {
    let mut prober = Prober::new(after(1));
    prober.pass("uu");
    prober.rules.after = 1;
    let facts = AlertFacts { stage: Some(Stage::Login), ..AlertFacts::default() };
    prober.look(Observation { facts, ..Observation::of("a", Verdict::Down, second(600), INTERVAL) });
    assert!(prober.told.is_empty() && prober.state.next_release().is_some());
    let told = prober.state.release_all(second(606));
    prober.note(told);
    assert_eq!(prober.told, ["a!"]);
    assert_eq!(prober.state.next_release(), None);
}

#[test]
fn the_message_names_the_sites_and_begins_when_the_last_of_them_failed() {
    let mut prober = Prober::new(after(2));
    for sites in ["uuu", "lll"] {
        prober.pass(sites);
    }
    let facts = |stage| AlertFacts { prober: "edge-1".into(), stage, ..AlertFacts::default() };
    let seen =
        Observation { facts: facts(Some(Stage::Login)), ..Observation::of("a", Verdict::Down, second(1200), INTERVAL) };
    let told = prober.state.observe(&seen, prober.rules, second(1205));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].kind, AlertKind::Triggered { start: second(610), downs: 1 });
    assert_eq!(told[0].facts.sites.as_deref(), Some(["a", "b", "c"].map(str::to_owned).as_slice()));
    assert_eq!(told[0].facts.decided_by.as_deref(), Some("a"));
    // A restored tunnel says what had failed before.
    let was = AlertFacts { reason: Some(FailureKind::SaMissing.into()), ..facts(Some(Stage::Sa)) };
    let up = Observation { facts: was, ..Observation::of("b", Verdict::Up, second(1205), INTERVAL) };
    let over = prober.state.observe(&up, prober.rules, second(1210));
    assert_eq!(over.len(), 1);
    assert_eq!((over[0].thread.as_str(), over[0].facts.decided_by.as_deref()), (told[0].id.as_str(), Some("b")));
    assert_eq!((over[0].facts.stage, over[0].facts.reason), (None, None), "it is up");
    assert_eq!(over[0].facts.sites.as_deref(), Some(["a", "c"].map(str::to_owned).as_slice()), "they still fail");
}

#[test]
fn a_password_that_expires_is_told_once_for_all_sites_of_its_account() {
    let mut state = AlertState::default();
    let mut look = |number: i64, site: &str, account: &str, term| {
        let seen = Observation::of(site, Verdict::Up, second(number), INTERVAL);
        let seen = Observation { account: Some(account.to_owned()), password: Some(term), ..seen };
        let told = state.observe(&seen, AlertRules::default(), second(number));
        state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        told.into_iter().map(|event| (event.subject, event.kind, event.id == event.thread)).collect::<Vec<_>>()
    };
    let told = |days, first| vec![("a".to_owned(), AlertKind::PasswordExpires { days, first }, first)];
    assert_eq!(look(0, "a", "probe", PasswordTerm::Days(31)), []);
    assert_eq!(look(1, "a", "probe", PasswordTerm::Days(14)), told(14, true));
    assert_eq!(look(2, "b", "probe", PasswordTerm::Days(14)), []);
    assert_eq!(look(3, "c", "other", PasswordTerm::Unsaid), []);
    assert_eq!(look(4, "b", "probe", PasswordTerm::Days(7)), told(7, false), "one story, one name");
    assert_eq!(look(5, "a", "probe", PasswordTerm::Unsaid), []);
    assert_eq!(look(6, "b", "probe", PasswordTerm::Days(6)), [], "another gateway says it still");
    for number in 7..20 {
        assert_eq!(look(number, "b", "probe", PasswordTerm::Unsaid), [], "one that never says it says nothing");
    }
    for number in 20..22 {
        assert_eq!(look(number, "a", "probe", PasswordTerm::Unsaid), []);
    }
    assert_eq!(look(22, "a", "probe", PasswordTerm::Unsaid), [("a".to_owned(), AlertKind::PasswordRenewed {}, false)]);
    assert!(state.passwords.is_empty());
}

/// Whatever happens: whoever is down for long enough is told of, alone or with all, and no story begins twice.
fn is_never_missed(passes: &[String], after: u32) {
    let mut prober = Prober::new(AlertRules { after, reminder: Duration::ZERO, ..AlertRules::default() });
    let (mut open, mut waiting) = (std::collections::BTreeSet::new(), String::new());
    for (number, sites) in passes.iter().enumerate() {
        let told = prober.pass(sites);
        for word in told.split(' ').filter(|word| !word.is_empty()) {
            let (name, mark) = word.trim_start_matches("later:").split_at(1);
            let (name, begins) = match mark {
                "!" | "~" => (name.to_owned(), mark == "!"),
                mark => (format!("{name} blind"), mark == "?"),
            };
            let is_news = if begins { open.insert(name) } else { open.remove(&name) };
            assert!(is_news, "pass {number}: {sites}: {told}");
        }
        // What was told of all is told of one at its next look.
        let looked_at = ('a'..).zip(sites.chars()).filter(|(_, site)| *site != '-').map(|(name, _)| name);
        waiting = if told.contains("*~") {
            "abcd".to_owned()
        } else {
            waiting.replace(|c| looked_at.clone().any(|l| l == c), "")
        };
        for (name, state) in &prober.state.subjects {
            let is_known = |found| prober.state.is_told(found);
            assert_eq!(open.contains(name), state.open_alert().is_some(), "pass {number}: {name}: {told}");
            if !state.is_flapping() && matches!(state.found(), Found::Down(_)) && state.downs() >= after {
                let known = open.contains(name) || is_known(state.found()) || waiting.contains(name.as_str());
                assert!(known, "pass {number}: {name} is not told of in {passes:?}");
            }
        }
        let all = &prober.state.all_sites;
        assert_eq!(open.contains("*"), all.open_alert().is_some());
        assert_eq!(open.contains("* blind"), all.blind_since().is_some());
    }
}

proptest::proptest! {
    #[test]
    fn nobody_is_forgotten(passes in proptest::collection::vec("[ulllir?xpm-]{4}|l{4}|u{4}|[lu]{4}", 1..25), after in 1..4_u32) {
        is_never_missed(&passes, after);
    }
}

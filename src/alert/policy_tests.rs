//! State changes walked one observation at a time, and thirty simulated days.

use super::*;
use crate::alert::Back;
use crate::record::{FailureKind, LeftoverKind};

const INTERVAL: Duration = Duration::from_mins(10);

fn rules() -> AlertRules {
    AlertRules::default()
}

fn start() -> DateTime<Utc> {
    "2026-11-20T00:00:00Z".parse().unwrap()
}

fn minute(minutes: i64) -> DateTime<Utc> {
    start() + chrono::TimeDelta::minutes(minutes)
}

fn look(verdict: Verdict, at: DateTime<Utc>) -> Observation {
    Observation::of("paris", verdict, at, INTERVAL)
}

fn name(kind: &AlertKind) -> &'static str {
    match kind {
        AlertKind::Triggered { .. } => "triggered",
        AlertKind::Reminder { .. } => "reminder",
        AlertKind::Resolved { .. } => "resolved",
        AlertKind::Blind { .. } => "blind",
        AlertKind::BlindOver { .. } => "blind-over",
        AlertKind::Test { .. } | AlertKind::Report { .. } => "told otherwise",
        AlertKind::Restored { .. } => "restored",
        AlertKind::Flapping { .. } => "flapping",
        AlertKind::FlappingDigest { .. } => "flapping-digest",
        AlertKind::FlappingOver { .. } => "flapping-over",
        AlertKind::Leftovers { .. } => "leftovers",
        AlertKind::LeftoversGone { .. } => "leftovers-gone",
        AlertKind::CertificateExpires { .. } => "certificate-expires",
        AlertKind::CertificateRenewed { .. } => "certificate-renewed",
        AlertKind::PasswordExpires { .. } => "password-expires",
        AlertKind::PasswordRenewed {} => "password-renewed",
        AlertKind::Unsteady { number: 0, .. } => "unsteady",
        AlertKind::Unsteady { .. } => "unsteady-reminder",
        AlertKind::Steady { .. } => "steady",
    }
}

/// A restart: all that is known afterwards is what was written.
fn restarted(state: &SubjectState) -> SubjectState {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

/// Walks a story: `u`p, `d`own, `?` unknown, `i`dentity failure, `p`aused account, one cycle each interval; `.` no cycle in one interval;
/// `R` restart, `(` and `)` begin and end of maintenance. A tunnel that was found dead: `x` restored, `a` came back by
/// itself. In the minutes before the next cycle, because an event asked for it: `D`own, `U`p, `X` restored. What the n-th
/// cycle causes is written behind it: `dd! u~` with `!` triggered, `r` reminder, `~` resolved, `b` blind, `o` blind
/// over, `+` restored, `#` falls again and again, `=` holds.
fn walk(rules: AlertRules, story: &str) {
    let mut state = SubjectState::default();
    let (mut minutes, mut silenced) = (0, false);
    let mut events = 0;
    let mut said = String::new();
    for step in
        story.chars().filter(|c| !matches!(c, '!' | 'r' | '~' | 'b' | 'o' | '+' | '#' | '=' | 'f' | 'g' | 's' | ' '))
    {
        said.push(step);
        let verdict = match step {
            'u' | 'U' | 'x' | 'X' | 'a' => Verdict::Up,
            'd' | 'D' | 'i' => Verdict::Down,
            '?' | 'p' => Verdict::Unknown,
            '.' => {
                minutes += 10;
                continue;
            }
            'R' => {
                state = restarted(&state);
                continue;
            }
            '(' | ')' => {
                silenced = step == '(';
                continue;
            }
            other => panic!("`{other}` is no step"),
        };
        let (identity_failure, paused) = (step == 'i', step == 'p');
        let back =
            matches!(step, 'x' | 'X' | 'a').then(|| Back { after: Duration::from_secs(2), restored: step != 'a' });
        let triggered = matches!(step, 'D' | 'U' | 'X');
        events = if triggered { events + 1 } else { 0 };
        let at = if triggered { minute(minutes - 9 + events) } else { minute(minutes) };
        let seen = Observation { identity_failure, paused, silenced, triggered, back, ..look(verdict, at) };
        for event in Policy::new(rules).observe(&mut state, &seen, at) {
            said.push(match event.kind {
                AlertKind::Triggered { .. } => '!',
                AlertKind::Reminder { .. } | AlertKind::Unsteady { number: 1.., .. } => 'r',
                AlertKind::Resolved { .. } => '~',
                AlertKind::Blind { .. } => 'b',
                AlertKind::BlindOver { .. } => 'o',
                AlertKind::Restored { .. } => '+',
                AlertKind::Unsteady { number: 0, .. } => '#',
                AlertKind::Steady { .. } => '=',
                AlertKind::Flapping { .. } => 'f',
                AlertKind::FlappingDigest { .. } => 'g',
                AlertKind::FlappingOver { .. } => 's',
                AlertKind::Leftovers { .. }
                | AlertKind::LeftoversGone { .. }
                | AlertKind::CertificateExpires { .. }
                | AlertKind::CertificateRenewed { .. }
                | AlertKind::PasswordExpires { .. }
                | AlertKind::PasswordRenewed {} => '*',
                AlertKind::Test { .. } | AlertKind::Report { .. } => 't',
            });
        }
        minutes += if triggered { 0 } else { 10 };
    }
    assert_eq!(said, story.replace(' ', ""), "with {rules:?}");
}

#[test]
fn default_rules() {
    for story in [
        "u u u u",
        "d u d u d u",            // never two in a row
        "u d d! d d u~ u",        // once, and once when it is over
        "u d u d d! u~ d d! uf~", // each outage of its own
        "i! p p p p p p u~",      // an account at rest is no blindness
        "d ? d!",                 // unknown neither counts nor resets
        "d d! ? ? u~",            // and does not resolve
        "d . d!",                 // one missed cycle is no gap
        "d . . d d!",             // more than two intervals: the count begins anew
        "d ? . . d d!",
        "d d! . . . . d d u~", // an open alert stays open over a gap
        "d d! . . . . u~",
        "i! i u~", // a refused account is told at the first
        "d i! d u~",
        "? ? ? ?b ? ? uo u",       // unknown for 30 minutes
        "? ? ? u ? ? ? d ? ? ? u", // any decided verdict ends it
        "? ? . . ? ? ? ?b uo",     // nobody knows what was in a gap
        "? ? ? ?b . . . ? ? uo",   // told once
        "? ? ? ?b do d! u~",
        "d d! ? ? ? ?b ? uo~",
    ] {
        walk(rules(), story);
    }
}

#[test]
fn other_rules() {
    let story = |after, resolve_after, reminder_minutes, story: &str| {
        walk(AlertRules { after, resolve_after, reminder: Duration::from_mins(reminder_minutes), ..rules() }, story);
    };
    story(1, 1, 0, "u d! d u~ d! u~");
    story(0, 0, 0, "u d! d u~ d! u~");
    story(3, 1, 0, "d d u d d d! d u~");
    story(2, 3, 0, "d d! u u d u u u~ u"); // still triggered because the success threshold is 3
    story(2, 3, 0, "d d! u u . . u u u~"); // a gap begins that count anew too
    story(2, 3, 0, "d u d d! u u u~"); // untold outages end with the first up
    story(2, 1, 30, "d d! d d dr d d dr u~ u");
    story(2, 1, 30, "d d! ? ? ?r u~"); // reminded although the prober can't tell
    story(2, 3, 20, "d d! u u dr u u u~"); // not while it is coming back
    story(2, 1, 0, "d d! d d d d d d d d d d d d d d d d d d d d d d d d d d d d d u~");
}

#[test]
fn in_maintenance_nothing_is_told_and_everything_counts() {
    let reminded = AlertRules { reminder: Duration::from_mins(30), ..rules() };
    walk(reminded, "d d! ( d d d d ) dr u~");
    for story in [
        "u ( d d d d ) u d u",   // over within it: never told
        "u ( d d d d ) d! u~",   // still down: at once
        "d ( d ) d! d u~",       // as many as are wanted, on both sides of its start
        "( d ) d! u~",           // and of its end
        "( d d u ) d d! u~",     // another outage
        "d d! ( d u u ) u~",     // told before: its end is told afterwards
        "d d! ( d u ) d d u~",   // down again by then: the same story
        "( d d ) ?! d u~",       // what was down is not known to be up
        "( i p p ) p! p u~",     // an account that rests is not looked at any more
        "( ? ? ? ? ? ) ?b uo",   // still blind
        "( ? ? ? ? ? ) u",       // not any more
        "? ? ? ?b ( u u ) uo",   // told before: that it is over is told afterwards
        "( d d . . . . ) d! u~", // nobody knows what was in the gap, but not that it was up
        "( d R d ) R d! u~",
    ] {
        walk(rules(), story);
    }
}

#[test]
fn a_restored_tunnel_is_one_notice_and_three_within_an_hour_are_an_alert() {
    for story in [
        "u x+ u u u u u u u x+ u",                  // one each
        "u a u a u a u",                            // strongSwan's own work, or one lost probe
        "x+ u u x+ u u x# u x u u u u u u u= u x+", // no more notices, until it held for an hour
        "x+ u u x+ u u u x+ u x# u",                // within 60 minutes, whichever
        "x+ x+ x# u u u u u u u= u",
        "x+ x+ x# u u u d u u u u u u u= u", // an outage, though untold, is no calm
        "x+ x+ x# u u u a u u u=",           // what came back by itself was not restored
        "x+ x+ x# u ? ? ? ?b uo u=",         // what is not known to be otherwise
        "x+ x+ x# . . u u u u u u u= u",     // nobody knows what was in the gap
        "x+ x+ x# d d! u~ u u u u u u= u",   // two stories
        "d x+ u",                            // an outage that nobody was told of
        "d d! x~ u",                         // that it was restored is said when it is over
        "d d! x~ d x+ d x# u",               // and counts
        "x+ R x+ R x# R x R u u u u u u R u=",
    ] {
        walk(rules(), story);
    }
    walk(AlertRules { resolve_after: 2, ..rules() }, "d d! x u~ u x+ u");
    let reminded = AlertRules { reminder: Duration::from_hours(1), ..rules() };
    walk(reminded, "x+ u x+ u x# u x u x u xr u x u u u u u u u=");
    walk(AlertRules { reminder: Duration::ZERO, ..rules() }, "x+ x+ x# x x x x x x x x x x x x x x x x x x x x x x x");
}

#[test]
fn what_changes_again_and_again_is_told_once_then_by_digests_and_once_when_it_is_over() {
    for story in [
        "u d u d u d uf d u u u u u u u u u u u u u u u u us u",
        // Its outages are not told, however long they wait for their count; what was told before is told to its end.
        "u d d! u~ d d! u~ d d! uf~ d d u u d d u u u u u u u u u u u u u us u u u",
        // A digest every four hours.
        "u d u d u d uf d u d u d u d u d u d u d u d u d u d u d u d ug d u d u d u d u d u u u u u u u u u u u u u u ug u us",
        // One that lasts is told, and its end.
        "u d u d u d uf d d d d d d d! d d u~ u u u u u u u us",
        // Down when it is over: an outage like any other.
        "u d u d u d uf d u u u u u u u u u u u u u u u u d ds! u~",
        // What is not known is no change, and five of them are too few.
        "u ? d ? u ? d u d",
        "u d u R d u d uf R d u u u u u u u u R u u u u u u u u us u",
        // A refused account is told whatever else is so.
        "u d u d u d uf i! u~ u",
    ] {
        walk(rules(), story);
    }
    walk(
        AlertRules { after: 1, ..rules() },
        "u d! u~ d! u~ d! uf~ d u d u d u d u d u u u u u u u u u u u u u u ug u us u",
    );
    let without = AlertRules { reminder: Duration::ZERO, ..rules() };
    walk(
        without,
        "u d u d u d uf d u d u d u d u d u d u d u d u d u d u d u d u d u d u d u d u d u d u d u d u d u d u",
    );
}

#[test]
fn in_maintenance_no_flapping_is_told_and_what_still_flaps_afterwards_is() {
    walk(rules(), "( u d u d u d u d ) uf d u");
    walk(rules(), "u d u d u d uf ( u u u u u u u u u u u u u u u u u u u u u ) us u");
}

#[test]
fn events_between_the_cycles_make_nothing_flap() {
    walk(rules(), "u D u D u D u D u D u D u D u D u D u");
}

/// What these looks cause; each ten minutes after the one before.
fn told(looks: impl IntoIterator<Item = Observation>) -> Vec<(usize, AlertKind)> {
    let mut state = SubjectState::default();
    let mut all = Vec::new();
    for (number, seen) in looks.into_iter().enumerate() {
        let at = minute(10 * i64::try_from(number).unwrap());
        let seen = Observation { at, ..seen };
        all.extend(Policy::new(rules()).observe(&mut state, &seen, at).into_iter().map(|event| (number, event.kind)));
        state = restarted(&state);
    }
    all
}

#[test]
fn a_certificate_that_runs_out_is_told_at_thirty_fourteen_seven_days_and_one_and_when_it_is_renewed() {
    let look = |days| Observation { cert_days_left: days, ..look(Verdict::Up, start()) };
    let days = [40, 31, 30, 29, 15, 14, 13, 7, 2, 1, 0, -1, -2, 90, 90, 90, 89];
    let kinds = told(days.map(|days| look(Some(days))));
    let expires = |days| AlertKind::CertificateExpires { days, first: matches!(days, 30 | 3 | 5 | 10) };
    assert_eq!(
        kinds,
        [
            (2, expires(30)),
            (5, expires(14)),
            (7, expires(7)),
            (9, expires(1)),
            (15, AlertKind::CertificateRenewed { days: 90 })
        ]
    );
    // Looked at for the first time when it has three days: once.
    assert_eq!(told([3, 3, 2].map(|days| look(Some(days)))), [(0, expires(3))]);
    // Two gateways behind one name, of which one was renewed; and looks that saw none.
    assert_eq!(told([5, 90, 5, 90, 90, 5].map(|days| look(Some(days)))), [(0, expires(5))]);
    assert_eq!(told([None, Some(5), None, Some(5)].map(look)), [(1, expires(5))]);
    let silenced = |days| Observation { silenced: true, ..look(Some(days)) };
    assert_eq!(told([silenced(20), silenced(10), look(Some(10))]), [(2, expires(10))]);
}

#[test]
fn leftovers_are_told_at_the_first_and_when_they_are_gone() {
    let look = |left: Option<&[LeftoverKind]>| Observation {
        leftovers: left.map(<[_]>::to_vec),
        ..look(Verdict::Up, start())
    };
    let (route, nothing) = (Some([LeftoverKind::RouteLeft].as_slice()), Some([].as_slice()));
    let kinds = told([nothing, route, route, None, nothing, nothing].map(look));
    let left = AlertKind::Leftovers { kinds: vec![LeftoverKind::RouteLeft] };
    assert_eq!(kinds, [(1, left.clone()), (4, AlertKind::LeftoversGone { start: minute(10) })]);
    let silenced = |left| Observation { silenced: true, ..look(left) };
    assert_eq!(told([silenced(route), look(nothing)]), []);
    assert_eq!(told([silenced(route), look(route)]), [(1, left)]);
}

#[test]
fn in_maintenance_no_restoring_is_told_and_each_counts() {
    for story in [
        "( x x x x ) u u u u u u u u",
        "x+ ( x ) x# u",
        "( x x x ) x# u",
        "x+ x+ x# ( u u u u u u u ) u=", // that it holds is told afterwards
        "( d d d ) x+ u",                // no tunnel is restarted in maintenance: it is down until after it
        "d d! ( x ) u~",
    ] {
        walk(rules(), story);
    }
}

#[test]
fn a_cycle_that_an_event_asked_for_counts_as_no_down_cycle() {
    for story in [
        "u D d d! u~",
        "u D D D u",       // over by the next cycle of the timetable
        "u D U u",         // or at the next event
        "u D d U d d! U~", // up is up, whoever asked
        "D d D d! D D U~",
        "D X+ u",
        "d d! D X~ u",
        "u D . . . d d!", // a gap is a gap
        "u D . d d!",     // and none is none
    ] {
        walk(rules(), story);
    }
    for after in [0, 1] {
        walk(AlertRules { after, ..rules() }, "u D d! u~ U D d!");
    }
}

#[test]
fn an_outage_that_an_event_found_began_then_whatever_the_intervals() {
    let policy = Policy::new(rules());
    let mut state = SubjectState::default();
    let mut see = |verdict, minutes, triggered, interval| {
        let seen = Observation { triggered, interval: Duration::from_mins(interval), ..look(verdict, minute(minutes)) };
        policy.observe(&mut state, &seen, minute(minutes)).pop().map(|event| event.kind)
    };
    assert_eq!(see(Verdict::Up, 0, false, 10), None);
    // Down, it is asked every minute, from the next cycle of the timetable on.
    assert_eq!(see(Verdict::Down, 4, true, 1), None);
    assert_eq!(see(Verdict::Down, 10, false, 1), None);
    assert_eq!(see(Verdict::Down, 11, false, 1), Some(AlertKind::Triggered { start: minute(4), downs: 2 }));
}

#[test]
fn an_event_between_two_cycles_makes_no_gap() {
    let policy = Policy::new(rules());
    let mut state = SubjectState::default();
    let mut see = |minutes, triggered, interval| {
        let seen =
            Observation { triggered, interval: Duration::from_mins(interval), ..look(Verdict::Down, minute(minutes)) };
        policy.observe(&mut state, &seen, minute(minutes)).len()
    };
    assert_eq!([see(0, false, 10), see(4, true, 1), see(10, false, 1)], [0, 0, 1]);
}

#[test]
fn a_notice_says_how_long_it_was_out_and_how_often_it_fell() {
    let policy = Policy::new(rules());
    let mut state = SubjectState::default();
    let back = Some(Back { after: Duration::from_millis(1_250), restored: true });
    let restored = |minutes| Observation { back, ..look(Verdict::Up, minute(minutes)) };
    let end = |minutes| minute(minutes) + chrono::TimeDelta::milliseconds(1_250);
    let mut see = |seen: Observation| {
        let now = seen.at + chrono::TimeDelta::seconds(5);
        policy.observe(&mut state, &seen, now).pop().map(|event| (event.id, event.thread, event.kind))
    };
    let id = "paris.20261120T000000.000Z.restored".to_owned();
    let kind = AlertKind::Restored { start: minute(0), end: end(0), hour: 1, day: 1 };
    assert_eq!(see(restored(0)), Some((id.clone(), id, kind)));

    assert_eq!(see(look(Verdict::Down, minute(500))), None);
    let kind = AlertKind::Restored { start: minute(500), end: end(510), hour: 1, day: 2 };
    assert_eq!(see(restored(510)).unwrap().2, kind, "down before it was told");
    assert_eq!(
        see(restored(540)).unwrap().2,
        AlertKind::Restored { start: minute(540), end: end(540), hour: 2, day: 3 }
    );

    let id = "paris.20261120T083000.000Z.unsteady".to_owned();
    let kind = AlertKind::Unsteady { start: minute(510), number: 0, hour: 3, day: 4 };
    assert_eq!(see(restored(570)), Some((id.clone(), id.clone(), kind)));
    let reminder = see(restored(570 + 241)).unwrap();
    let kind = AlertKind::Unsteady { start: minute(510), number: 1, hour: 1, day: 5 };
    assert_eq!(reminder, (format!("{id}.reminder-1"), id.clone(), kind));
    for minutes in (820..=870).step_by(10) {
        assert_eq!(see(look(Verdict::Up, minute(minutes))), None);
    }
    let kind = AlertKind::Steady { start: minute(510), end: end(811), times: 4 };
    let over = see(look(Verdict::Up, minute(880))).unwrap();
    assert_eq!(over, (format!("{id}.over"), id, kind));
}

#[test]
fn what_is_told_after_maintenance_has_its_true_start_and_end() {
    let policy = Policy::new(rules());
    let mut state = SubjectState::default();
    let mut see = |verdict, minutes, silenced| {
        let seen = Observation { silenced, ..look(verdict, minute(minutes)) };
        policy.observe(&mut state, &seen, minute(minutes)).pop().map(|event| (event.id, event.kind))
    };
    for minutes in [0, 10, 20] {
        assert_eq!(see(Verdict::Down, minutes, true), None);
    }
    let (id, kind) = see(Verdict::Down, 30, false).unwrap();
    assert_eq!(
        (id.as_str(), kind),
        ("paris.20261120T000000.000Z.down", AlertKind::Triggered { start: minute(0), downs: 4 })
    );
    for minutes in [40, 50] {
        assert_eq!(see(Verdict::Up, minutes, true), None);
    }
    let (_, kind) = see(Verdict::Up, 60, false).unwrap();
    let AlertKind::Resolved { start, end, .. } = kind else { panic!("{kind:?}") };
    assert_eq!((start, end), (minute(0), minute(40)));
}

#[test]
fn a_restart_forgets_nothing() {
    for story in
        ["d R d!", "d d! R d R u~", "d d! R u~ R u", "? ? R ? ?b R ? R uo", "d R . . d d!", "d R ? R d! R d R u~"]
    {
        walk(rules(), story);
    }
}

#[test]
fn events_tell_when_it_began_how_long_it_was_and_what_failed() {
    let policy = Policy::new(AlertRules { resolve_after: 2, ..rules() });
    let mut state = SubjectState::default();
    let down = |minutes, kind: FailureKind| Observation {
        facts: AlertFacts { reason: Some(kind.into()), ..AlertFacts::default() },
        ..look(Verdict::Down, minute(minutes))
    };
    assert_eq!(policy.observe(&mut state, &down(0, FailureKind::NoReply), minute(1)), []);
    let triggered = policy.observe(&mut state, &down(10, FailureKind::AuthRejected), minute(11)).remove(0);
    assert_eq!(triggered.id, "paris.20261120T000000.000Z.down");
    assert_eq!(triggered.thread, triggered.id);
    assert_eq!(triggered.at, minute(11));
    assert_eq!(triggered.kind, AlertKind::Triggered { start: minute(0), downs: 2 });
    assert_eq!(triggered.facts.reason, Some(FailureKind::AuthRejected.into()));
    assert_eq!(state.open_alert().unwrap().start, minute(0));

    let reminder = policy.observe(&mut state, &down(20, FailureKind::NoLicense), minute(11 + 240)).remove(0);
    assert_eq!(reminder.id, "paris.20261120T000000.000Z.down.reminder-1");
    assert_eq!(reminder.thread, triggered.id);
    assert_eq!(reminder.facts.reason, Some(FailureKind::NoLicense.into()));

    assert_eq!(policy.observe(&mut state, &look(Verdict::Up, minute(30)), minute(31)), []);
    let resolved = policy.observe(&mut state, &look(Verdict::Up, minute(40)), minute(41)).remove(0);
    assert_eq!(resolved.thread, triggered.id);
    let failed = Box::new(triggered.facts);
    assert_eq!(resolved.kind, AlertKind::Resolved { start: minute(0), end: minute(30), failed, restored: false });
    assert_eq!(state.open_alert(), None);
}

#[test]
fn the_same_observation_twice_counts_once() {
    let mut state = SubjectState::default();
    for _ in 0..3 {
        assert_eq!(Policy::new(rules()).observe(&mut state, &look(Verdict::Down, minute(0)), minute(0)), []);
    }
    assert_eq!(state.downs(), 1);
}

#[test]
fn a_clock_set_back_makes_no_negative_length_and_stops_no_reminder() {
    let policy = Policy::new(rules());
    let mut state = SubjectState::default();
    policy.observe(&mut state, &look(Verdict::Down, minute(0)), minute(0));
    assert_eq!(policy.observe(&mut state, &look(Verdict::Down, minute(10)), minute(10)).len(), 1);
    // The clock was a year ahead.
    let year = -365 * 24 * 60;
    assert_eq!(policy.observe(&mut state, &look(Verdict::Down, minute(year)), minute(year)), []);
    let reminded = policy.observe(&mut state, &look(Verdict::Down, minute(year + 240)), minute(year + 240));
    assert_eq!(name(&reminded[0].kind), "reminder");
    let events = policy.observe(&mut state, &look(Verdict::Up, minute(2 * year)), minute(2 * year));
    let AlertKind::Resolved { start, end, .. } = events[0].kind else { panic!("{events:?}") };
    assert!(start <= end);
}

#[test]
fn thirty_days_tell_each_outage_once() {
    let policy = Policy::new(rules());
    let mut state = SubjectState::default();
    let mut told = std::collections::BTreeMap::new();
    let (mut ids, mut longest) = (std::collections::HashSet::new(), Duration::ZERO);
    for cycle in 0_i64..30 * 144 {
        // Each day: a single failure at 02:00, an outage of an hour at 10:00, a blind hour at 15:00; on day 7, ten hours.
        let (day, in_day) = (cycle / 144, cycle % 144);
        let verdict = match in_day {
            12 | 60..66 => Verdict::Down,
            90..96 => Verdict::Unknown,
            60..120 if day == 7 => Verdict::Down,
            _ => Verdict::Up,
        };
        for event in policy.observe(&mut state, &look(verdict, minute(cycle * 10)), minute(cycle * 10 + 1)) {
            *told.entry(name(&event.kind)).or_insert(0) += 1;
            assert!(ids.insert(event.id.clone()), "{} told twice", event.id);
            if let AlertKind::Resolved { start, end, .. } = event.kind {
                longest = longest.max(length(start, end));
            }
        }
        state = restarted(&state);
    }
    let expected = [("blind", 30), ("blind-over", 30), ("reminder", 2), ("resolved", 30), ("triggered", 30)];
    assert_eq!(told.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(longest, Duration::from_hours(10));
}

#[path = "policy_property_tests.rs"]
mod properties;

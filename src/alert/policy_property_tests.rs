//! Properties of every sequence of observations.

use proptest::prelude::*;

use super::*;

/// One step of any story.
#[expect(clippy::struct_excessive_bools, reason = "each of them may come with any other")]
#[derive(Debug, Clone)]
struct Step {
    verdict: Verdict,
    identity_failure: bool,
    /// From the last cycle; negative when the clock was set back.
    minutes: i64,
    restart: bool,
    silenced: bool,
    triggered: bool,
    /// Up: whether it had been dead, and was restored.
    back: Option<bool>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let verdict = prop_oneof![Just(Verdict::Up), Just(Verdict::Down), Just(Verdict::Unknown)];
    let minutes = prop_oneof![8 => Just(10_i64), 1 => 21_i64..2000, 1 => -2000_i64..0];
    let weighted = prop::bool::weighted;
    let back = prop::option::weighted(0.5, weighted(0.8));
    let step = (verdict, weighted(0.1), minutes, weighted(0.2), weighted(0.3), weighted(0.2), back).prop_map(
        |(verdict, identity_failure, minutes, restart, silenced, triggered, back)| Step {
            verdict,
            identity_failure,
            minutes,
            restart,
            silenced,
            triggered,
            back: back.filter(|_| verdict == Verdict::Up),
        },
    );
    prop::collection::vec(step, 0..120)
}

fn any_rules() -> impl Strategy<Value = AlertRules> {
    (0_u32..4, 0_u32..4, 0_u64..90, 0_u64..90).prop_map(|(after, resolve_after, blind, reminder)| AlertRules {
        after,
        resolve_after,
        blind_after: Duration::from_mins(blind),
        reminder: Duration::from_mins(reminder),
    })
}

proptest! {
    #[test]
    fn alerts_alternate_and_every_one_is_resolved_once(rules in any_rules(), steps in steps()) {
        let mut state = SubjectState::default();
        let (mut now, mut open, mut blind, mut unsteady, mut flapping) = (minute(0), None, None, None, None);
        // And for an hour, for one that fell again and again; and for one that flaps until nothing is known but that.
        let ups_to_end = (0..=rules.resolve_after + 20).map(|_| Step {
            verdict: Verdict::Up,
            identity_failure: false,
            minutes: 10,
            restart: false,
            silenced: false,
            triggered: false,
            back: None,
        });
        for step in steps.into_iter().chain(ups_to_end) {
            now += chrono::TimeDelta::minutes(step.minutes);
            if step.restart {
                state = restarted(&state);
            }
            let Step { verdict, identity_failure, silenced, triggered, .. } = step;
            let back = step.back.map(|restored| Back { after: Duration::from_secs(3), restored });
            let (was_told, was_unsteady) = (open.is_some(), unsteady.is_some());
            let seen = Observation { identity_failure, silenced, triggered, back, ..look(verdict, now) };
            for event in Policy::new(rules).observe(&mut state, &seen, now) {
                prop_assert!(!silenced, "told in maintenance: {event:?}");
                match (&event.kind, step.verdict) {
                    // With unknown only what maintenance had kept back.
                    (AlertKind::Triggered { start, .. }, Verdict::Down | Verdict::Unknown) => {
                        prop_assert!(open.replace(event.thread).is_none(), "triggered twice");
                        prop_assert!(*start <= now);
                    }
                    (AlertKind::Reminder { .. }, Verdict::Down | Verdict::Unknown) => {
                        prop_assert_eq!(open.as_ref(), Some(&event.thread));
                    }
                    (AlertKind::Resolved { start, end, .. }, Verdict::Up) => {
                        prop_assert_eq!(open.take(), Some(event.thread));
                        prop_assert!(start <= end);
                    }
                    (AlertKind::Flapping { changes: 5.., .. }, Verdict::Up | Verdict::Down) => {
                        prop_assert!(flapping.replace(event.thread).is_none(), "flapping twice");
                    }
                    (AlertKind::FlappingDigest { start, since, .. }, Verdict::Up | Verdict::Down) => {
                        prop_assert_eq!(flapping.as_ref(), Some(&event.thread));
                        prop_assert!(start <= since || *since <= now);
                    }
                    (AlertKind::FlappingOver { start, .. }, Verdict::Up | Verdict::Down) => {
                        prop_assert_eq!(flapping.take(), Some(event.thread));
                        prop_assert!(*start <= now);
                    }
                    (AlertKind::Blind { .. }, Verdict::Unknown) => {
                        prop_assert!(blind.replace(event.thread).is_none(), "blind twice");
                    }
                    (AlertKind::BlindOver { .. }, Verdict::Up | Verdict::Down) => {
                        prop_assert_eq!(blind.take(), Some(event.thread));
                    }
                    (AlertKind::Restored { start, end, hour: 1..=2, .. }, Verdict::Up) => {
                        prop_assert!(step.back == Some(true) && start < end);
                        prop_assert!(!was_told && !was_unsteady, "told already");
                    }
                    (AlertKind::Unsteady { number: 0, hour: 3.., .. }, Verdict::Up) => {
                        prop_assert!(unsteady.replace(event.thread).is_none(), "unsteady twice");
                    }
                    (AlertKind::Unsteady { number: 1.., .. }, Verdict::Up) => {
                        prop_assert_eq!(unsteady.as_ref(), Some(&event.thread));
                    }
                    (AlertKind::Steady { start, end, times: 3.. }, Verdict::Up) => {
                        prop_assert_eq!(unsteady.take(), Some(event.thread));
                        prop_assert!(start <= end && step.back != Some(true));
                    }
                    (kind, verdict) => prop_assert!(false, "{verdict} caused {kind:?}"),
                }
            }
            prop_assert_eq!(state.open_alert().is_some(), open.is_some());
            prop_assert_eq!(state.blind_since().is_some(), blind.is_some());
            prop_assert_eq!(state.is_unsteady(), unsteady.is_some());
            prop_assert_eq!(state.is_flapping(), flapping.is_some());
        }
        let all_over = open.is_none() && blind.is_none() && unsteady.is_none() && flapping.is_none();
        prop_assert!(all_over, "everything ends when it is up again");
    }
}

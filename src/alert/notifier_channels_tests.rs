//! Who is told of what, when a channel is dead, and what is said again and again.

use std::collections::BTreeSet;

use super::*;
use crate::alert::RoutedChannel;
use crate::config::{Fallback, Route, Severity};

fn routed(channel: &Arc<Scripted>, route: Route) -> Arc<dyn Channel> {
    Arc::new(RoutedChannel::new(channel.clone(), route))
}

fn all(channel: &Arc<Scripted>) -> Arc<dyn Channel> {
    routed(channel, Route::default())
}

fn falls_back_to(channel: &str) -> Route {
    let fallback = Some(Fallback { channel: channel.to_owned(), after: Duration::from_mins(10) });
    Route { fallback, ..Route::default() }
}

fn only(site: &str) -> Route {
    Route { sites: Some(BTreeSet::from([site.to_owned()])), ..Route::default() }
}

/// Subjects by their last words but one: `DOWN` or `up`.
fn told(channel: &Scripted) -> Vec<String> {
    let short = |subject: String| subject.split(':').next().unwrap().split(" after").next().unwrap().to_owned();
    channel.taken().into_iter().map(short).collect()
}

#[tokio::test(start_paused = true)]
async fn each_channel_is_told_of_its_sites_alone() {
    let (dir, paris, every) = (dir(), Scripted::new("paris", &[]), Scripted::new("every", &[]));
    let mut prober = Prober::start_with(&dir, vec![routed(&paris, only("paris")), all(&every)]);
    for site in ["paris", "rome"] {
        prober.see(site, Verdict::Down).await;
        prober.see(site, Verdict::Up).await;
    }
    prober.delivered().await;
    assert_eq!(told(&paris), ["paris DOWN", "paris is up again"]);
    assert_eq!(every.taken().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_told_of_the_beginning_is_told_of_the_end_whatever_the_configuration_says_then() {
    let (dir, old, new) = (dir(), Scripted::new("old", &[]), Scripted::new("new", &[]));
    let mut prober = Prober::start_with(&dir, vec![all(&old)]);
    prober.see("paris", Verdict::Down).await;
    prober.delivered().await;
    prober.kill().await;
    let mut prober = Prober::start_with(&dir, vec![routed(&old, only("rome")), all(&new)]);
    prober.cycles = 1;
    prober.see("paris", Verdict::Up).await;
    prober.delivered().await;
    assert_eq!(told(&old), ["paris DOWN", "paris is up again"]);
    assert_eq!(told(&new), Vec::<String>::new(), "an end without a beginning is no news");
    assert!(prober.notifier.state().await.unwrap().stories.is_empty(), "what is over and delivered is forgotten");
}

#[tokio::test(start_paused = true)]
async fn the_end_for_a_channel_that_is_gone_becomes_a_dead_letter() {
    let (dir, old, new) = (dir(), Scripted::new("old", &[]), Scripted::new("new", &[]));
    let mut prober = Prober::start_with(&dir, vec![all(&old)]);
    prober.see("paris", Verdict::Down).await;
    prober.delivered().await;
    prober.kill().await;
    let mut prober = Prober::start_with(&dir, vec![all(&new)]);
    prober.cycles = 1;
    prober.see("paris", Verdict::Up).await;
    sleep(Duration::from_hours(25)).await;
    let state = prober.notifier.state().await.unwrap();
    assert_eq!(state.outbox.dead().map(|message| message.channel.as_str()).collect::<Vec<_>>(), ["old"]);
    assert_eq!(new.taken().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_delivered_goes_to_the_fallback_too_and_so_does_its_end() {
    let (dir, dead, other) = (dir(), Scripted::new("dead", &[Play::Refuse; 500]), Scripted::new("other", &[]));
    let critical = Route { severity: Severity::Critical, sites: only("rome").sites, ..Route::default() };
    let mut prober = Prober::start_with(&dir, vec![routed(&dead, falls_back_to("other")), routed(&other, critical)]);
    prober.see("paris", Verdict::Down).await;
    sleep(Duration::from_secs(599)).await;
    assert_eq!(other.taken().len(), 0, "not before its time");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(told(&other), ["paris DOWN"]);
    let id = |channel: &Scripted, index: usize| channel.attempts.lock().unwrap()[index].1.clone();
    assert_eq!(id(&other, 0), id(&dead, 0), "the same message");
    prober.see("paris", Verdict::Up).await;
    sleep(Duration::from_millis(1)).await;
    assert_eq!(told(&other), ["paris DOWN", "paris is up again"], "at once");
    sleep(Duration::from_hours(2)).await;
    assert_eq!(other.taken().len(), 2, "and once");
    assert_eq!(prober.pending().await, 2, "the dead one is still tried");
}

#[tokio::test(start_paused = true)]
async fn what_is_delivered_in_time_does_not_fall_back() {
    let (dir, slow, other) = (dir(), Scripted::new("slow", &[Play::Refuse; 5]), Scripted::new("other", &[]));
    let mut prober =
        Prober::start_with(&dir, vec![routed(&slow, falls_back_to("other")), routed(&other, only("rome"))]);
    prober.see("paris", Verdict::Down).await;
    sleep(Duration::from_hours(1)).await;
    assert_eq!((slow.taken().len(), other.taken().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_is_told_by_itself_is_not_told_twice() {
    let (dir, dead, other) = (dir(), Scripted::new("dead", &[Play::Refuse; 500]), Scripted::new("other", &[]));
    let mut prober = Prober::start_with(&dir, vec![routed(&dead, falls_back_to("other")), all(&other)]);
    prober.see("paris", Verdict::Down).await;
    sleep(Duration::from_hours(1)).await;
    assert_eq!(other.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_is_said_again_until_it_is_over_and_also_after_a_restart() {
    let every = Duration::from_mins(1);
    let dir = dir();
    let channel = || Arc::new(Scripted { name: "am", repeat: Some(every), ..Scripted::default() });
    let am = channel();
    let mut prober = Prober::start_with(&dir, vec![all(&am)]);
    prober.see("paris", Verdict::Up).await;
    sleep(every * 3).await;
    assert_eq!(am.refreshed.lock().unwrap().len(), 0, "nothing goes on");
    prober.see("paris", Verdict::Down).await;
    sleep(every * 3 + Duration::from_secs(1)).await;
    assert!((3..=4).contains(&am.refreshed.lock().unwrap().len()), "{:?}", am.refreshed);
    assert!(am.refreshed.lock().unwrap().iter().all(|(_, sites)| sites == &["paris"]));
    prober.kill().await;
    let am = channel();
    let mut prober = Prober::start_with(&dir, vec![all(&am)]);
    prober.cycles = 2;
    sleep(every * 2).await;
    assert!(am.refreshed.lock().unwrap().len() >= 2);
    prober.see("paris", Verdict::Up).await;
    prober.delivered().await;
    let before = am.refreshed.lock().unwrap().len();
    sleep(every * 5).await;
    assert_eq!(am.refreshed.lock().unwrap().len(), before, "it is over");
    assert_eq!(am.taken().len(), 1, "of messages the end alone");
}

#[tokio::test(start_paused = true)]
async fn while_the_gate_is_closed_nothing_is_said_again() {
    let (dir, every) = (dir(), Duration::from_mins(1));
    let am = Arc::new(Scripted { name: "am", repeat: Some(every), ..Scripted::default() });
    let mut prober = Prober::start_with(&dir, vec![all(&am)]);
    prober.see("paris", Verdict::Down).await;
    prober.delivered().await;
    let hold = prober.gate.hold().await;
    let before = am.refreshed.lock().unwrap().len();
    sleep(every * 5).await;
    assert_eq!(am.refreshed.lock().unwrap().len(), before);
    drop(hold);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(am.refreshed.lock().unwrap().len(), before + 1, "at once when it opens, and once");
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_no_longer_probed_is_no_news() {
    let (dir, every) = (dir(), Duration::from_mins(1));
    let am = Arc::new(Scripted { name: "am", repeat: Some(every), ..Scripted::default() });
    let mut prober = Prober::start_with(&dir, vec![all(&am)]);
    prober.see("paris", Verdict::Down).await;
    sleep(Duration::from_hours(2)).await;
    // Three intervals of ten minutes.
    assert!((29..=32).contains(&am.refreshed.lock().unwrap().len()), "{}", am.refreshed.lock().unwrap().len());
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_take_it_is_asked_less_and_less_often() {
    let (dir, repeat) = (dir(), Some(Duration::from_mins(1)));
    let am = Arc::new(Scripted { name: "am", repeat, stale: true, ..Scripted::default() });
    let mut prober = Prober::start_with(&dir, vec![all(&am)]);
    prober.see("paris", Verdict::Down).await;
    sleep(Duration::from_mins(25)).await;
    let times: Vec<_> = am.refreshed.lock().unwrap().iter().map(|(at, _)| *at).collect();
    let waits: Vec<_> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert_eq!(waits, [120, 240, 300, 300, 300]);
}

#[tokio::test(start_paused = true)]
async fn ten_outages_in_the_hour_that_a_receiver_is_gone_arrive_in_order_and_delay_no_other_channel() {
    let (dir, began) = (dir(), Instant::now());
    let gone_until = Some(began + Duration::from_hours(1));
    let gone = Arc::new(Scripted { name: "gone", gone_until, ..Scripted::default() });
    let other = Scripted::new("other", &[]);
    let mut prober = Prober::start_with(&dir, vec![all(&gone), all(&other)]);
    for site in 0..10 {
        for verdict in [Verdict::Down, Verdict::Up] {
            prober.see(&format!("site-{site}"), verdict).await;
            let told = Instant::now();
            sleep(Duration::from_mins(3)).await;
            assert_eq!(other.attempts().last(), Some(&told), "the other one is told at once");
        }
    }
    assert_eq!((gone.taken().len(), other.taken().len(), prober.pending().await), (0, 20, 20));
    prober.delivered().await;
    assert!(began.elapsed() < Duration::from_mins(65), "within the longest back-off: {:?}", began.elapsed());
    let of = |channel: &Scripted, site: &str| -> Vec<_> {
        channel.taken().into_iter().filter(|subject| subject.starts_with(site)).collect()
    };
    for site in (0..10).map(|site| format!("site-{site} ")) {
        assert_eq!(of(&gone, &site), of(&other, &site), "each once, in order");
    }
    assert_eq!(gone.taken().len(), 20);
    let ids: BTreeSet<_> = gone.attempts.lock().unwrap().iter().map(|(_, id)| id.clone()).collect();
    assert_eq!(ids.len(), 20, "a repeat has the same id");
}

use super::*;
use crate::ipsec::Recovering;
use crate::ipsec::fake::{FakeDaemon, World, child, child_in, config, ike, ike_in, target};
use crate::vici::{ChildState, IkeSa, IkeState};

fn daemon(installed: Vec<IkeSa>) -> FakeDaemon {
    FakeDaemon::new(vec![config("gw", "net"), config("gw", "voice")], installed)
}

fn rekeying(state: ChildState) -> Vec<IkeSa> {
    vec![ike("gw", 1, vec![child_in(state, "net", 7), child("voice", 8)])]
}

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

#[tokio::test(start_paused = true)]
async fn a_moment_of_a_rekeying_is_looked_at_until_it_is_over() {
    let daemon = daemon(rekeying(ChildState::Rekeyed))
        .after(Duration::from_millis(1200), |world| world.view.installed[0].children.push(child("net", 9)));
    let began = Instant::now();
    let (_, seen) = look(&daemon, &target("net"), in_a_minute()).await.unwrap();
    assert!(seen.is_up());
    assert!(began.elapsed() < Duration::from_millis(1400), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_fallen_tunnel_is_called_down_within_the_second_also_right_after_a_rekeying() {
    // strongSwan keeps what a rekeying has replaced for 5 s.
    for installed in [vec![], vec![ike("gw", 1, vec![])], rekeying(ChildState::Deleted)] {
        let daemon = daemon(installed);
        let began = Instant::now();
        let (_, seen) = look(&daemon, &target("net"), in_a_minute()).await.unwrap();
        assert!(matches!(seen, Assessment::Missing | Assessment::NotInstalled(_)), "{seen:?}");
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_that_goes_on_being_on_the_move_is_down() {
    let began = Instant::now();
    let (_, seen) = look(&daemon(rekeying(ChildState::Deleting)), &target("net"), in_a_minute()).await.unwrap();
    assert_eq!(seen.to_string(), "is down: its CHILD_SAs are DELETING and nothing follows");
    assert!(began.elapsed() <= Duration::from_millis(2100), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn many_tunnels_are_looked_at_in_one_view_and_wait_for_each_other() {
    let daemon = daemon(rekeying(ChildState::Rekeyed))
        .after(Duration::from_millis(300), |world| world.view.installed[0].children.push(child("net", 9)));
    let (view, seen) = look_all(&daemon, &[target("voice"), target("net")], in_a_minute()).await.unwrap();
    assert!(seen.iter().all(Assessment::is_up));
    assert_eq!(view.installed[0].children.len(), 3);
    assert!(look_all(&daemon, &[], in_a_minute()).await.unwrap().1.is_empty());
}

#[tokio::test(start_paused = true)]
async fn strongswans_own_recovery_is_watched_until_it_ends_one_way_or_the_other() {
    let connecting = || vec![ike_in(IkeState::Connecting, ike("gw", 1, vec![]))];
    let grace = Duration::from_secs(45);
    for (after, change, seconds, expected) in [
        (9, (|world| world.install("gw", "net")) as fn(&mut World), 9, "is up"),
        (20, |world| world.view.installed.clear(), 20, "is down: no SA of its connection is there"),
        (90, |_| {}, 45, "is down, and strongSwan is at work on it: IKE_SA #1 is CONNECTING"),
    ] {
        let daemon = daemon(connecting()).after(Duration::from_secs(after), change);
        let began = Instant::now();
        let (_, seen) = watch_recovery(&daemon, &target("net"), began + grace).await.unwrap();
        assert_eq!(seen.to_string(), expected);
        assert_eq!(began.elapsed().as_secs(), seconds);
        let is_at_work = matches!(seen, Assessment::Recovering(Recovering::Connecting { ike_id: 1 }));
        assert_eq!(is_at_work, seconds == 45);
    }
}

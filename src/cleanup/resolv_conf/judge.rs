//! Whose doing a difference in resolv.conf is: pure.

use super::ResolvState;

/// What was seen of resolv.conf beside its state before the login and now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Witness<'a> {
    /// While the client of this cycle was still up.
    pub while_up: Option<&'a ResolvState>,
    /// What remained when the cleanup of this cycle failed earlier.
    pub left: Option<&'a ResolvState>,
}

/// Whose doing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// There is no difference.
    Same,
    /// Somebody else's: it stays.
    Others,
    /// The client's, or nobody knows: it is put right.
    Clients,
}

/// Compares resolv.conf with what stood there before the login.
///
/// A difference is taken for the client's unless one of these says otherwise:
///
/// 1. An earlier cleanup failed, and what it left has been replaced since: somebody has put it right by hand.
/// 2. The same link leads to a file that was made anew (another inode: systemd-resolved, resolvconf and their kind
///    write by renaming) with a content that was not there while the client was up: its generator has made it.
pub(super) fn judge(before: &ResolvState, now: &ResolvState, witness: Witness<'_>) -> Judgement {
    if before.is(now) {
        return Judgement::Same;
    }
    let by_hand = witness.left.is_some_and(|left| now.content.is_some() && !left.says_as(now));
    let made_anew = before.link.is_some() && before.link == now.link && now.file.is_some() && before.file != now.file;
    let after_the_client = witness.while_up.is_some_and(|up| up.content != now.content);
    if by_hand || made_anew && after_the_client { Judgement::Others } else { Judgement::Clients }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(inode: u64, content: &str) -> ResolvState {
        let content = Some(content.into());
        ResolvState { link: Some("/run/r".into()), content, owner: None, file: Some((1, inode)) }
    }

    fn plain(content: &str) -> ResolvState {
        ResolvState { link: None, file: None, ..link(0, content) }
    }

    #[test]
    fn a_difference_is_the_clients_unless_it_can_be_told_to_be_anothers() {
        let (before, up) = (link(7, "good"), link(7, "client"));
        let seen = Witness { while_up: Some(&up), left: None };
        for (case, now, witness, expected) in [
            ("as before", link(7, "good"), seen, Judgement::Same),
            ("made anew with the same content", link(8, "good"), seen, Judgement::Same),
            ("left through the link", link(7, "client"), seen, Judgement::Clients),
            ("half taken back in place", link(7, ""), seen, Judgement::Clients),
            ("made anew after the client", link(8, "renewed"), seen, Judgement::Others),
            ("made anew by the client", link(8, "client"), seen, Judgement::Clients),
            ("nobody looked while it was up", link(8, "renewed"), Witness::default(), Judgement::Clients),
            ("the link replaced", plain("good"), seen, Judgement::Clients),
            ("the target gone", ResolvState { content: None, file: None, ..link(0, "") }, seen, Judgement::Clients),
        ] {
            assert_eq!(judge(&before, &now, witness), expected, "{case}");
        }
    }

    #[test]
    fn what_somebody_put_right_by_hand_after_a_failed_cleanup_stays() {
        let (before, left) = (plain("good"), plain("client"));
        let witness = Witness { while_up: None, left: Some(&left) };
        assert_eq!(judge(&before, &plain("by hand"), witness), Judgement::Others);
        assert_eq!(judge(&before, &plain("client"), witness), Judgement::Clients);
        assert_eq!(judge(&before, &ResolvState::default(), witness), Judgement::Clients, "no file is no repair");
        assert_eq!(judge(&before, &plain("by hand"), Witness::default()), Judgement::Clients);
    }
}

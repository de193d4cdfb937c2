//! What is known of accounts, in one file of `state_dir`: which rest, when a password was typed a second time, which
//! one-time codes were used.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::totp::Step;
use super::{Pauses, Rest, Resting, SecretMark};
use crate::config::{Account, Secret};
use crate::files;
use crate::record::FailureKind;

/// The file's content.
#[derive(Debug, Serialize, Deserialize)]
struct Page {
    version: u32,
    /// By account; one rest per secret that was refused: gateways with directories of their own may know one user name
    /// with different passwords.
    accounts: BTreeMap<String, Vec<Rest>>,
    /// By account: when its password was last typed a second time in one login.
    #[serde(default)]
    second_sendings: BTreeMap<String, DateTime<Utc>>,
    /// By account: the last time step of which a one-time code was used.
    #[serde(default)]
    steps: BTreeMap<String, Step>,
    /// By account: the secret of one-time codes with which it was refused last.
    #[serde(default)]
    refused_codes: BTreeMap<String, SecretMark>,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            version: VERSION,
            accounts: BTreeMap::new(),
            second_sendings: BTreeMap::new(),
            steps: BTreeMap::new(),
            refused_codes: BTreeMap::new(),
        }
    }
}

/// Version of the file's form.
const VERSION: u32 = 1;
/// From one second sending of a password to the next (contract: alerts).
const BETWEEN_SECOND_SENDINGS: TimeDelta = TimeDelta::days(1);
/// Refused secrets remembered per account: of more the oldest are forgotten.
const MOST_SECRETS: usize = 8;

/// The book can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the accounts' book `{}`", path.display())]
pub struct BookError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// Which accounts rest, and what was used of them. Several processes may use one book: each change is read, made and written under a lock.
#[derive(Debug, Clone)]
pub struct AccountBook {
    path: PathBuf,
    /// Accounts that were refused when the book could not be written: at least this program leaves them in peace.
    unsaved: Arc<Mutex<BTreeMap<String, Vec<Rest>>>>,
}

impl AccountBook {
    /// `state_dir/accounts.json`.
    pub fn new(state_dir: &Path) -> Self {
        Self { path: state_dir.join("accounts.json"), unsaved: Arc::default() }
    }

    /// Whether the account rests; `secret` is the one that would be typed.
    pub fn resting(
        &self,
        account: &Account,
        secret: &Secret,
        now: DateTime<Utc>,
    ) -> Result<Option<Resting>, BookError> {
        let mut page = self.read(now).map_err(|e| self.error(e))?;
        let of_account = |page: &Page| page.accounts.get(&key(account)).cloned().unwrap_or_default();
        if of_account(&page).iter().any(|rest| rest.since > now) {
            // The clock was set back: from here on the rest counts anew, or it would end only when that time has come.
            self.change(now, |page| {
                let rests = page.accounts.entry(key(account)).or_default();
                for rest in rests.iter_mut() {
                    rest.since = rest.since.min(now);
                }
            })?;
            page = self.read(now).map_err(|e| self.error(e))?;
        }
        let unsaved = self.unsaved().get(&key(account)).cloned().unwrap_or_default();
        Ok(of_account(&page).iter().chain(&unsaved).find_map(|rest| rest.at(secret, now)))
    }

    /// Every account that rests, for whoever only looks: a damaged book is an error and stays where it is.
    pub fn pauses(&self) -> Result<Pauses, BookError> {
        let page = files::peek_state(&self.path, |page: &Page| page.version == VERSION).map_err(|e| self.error(e))?;
        let mut rests = page.unwrap_or_default().accounts;
        for (account, unsaved) in self.unsaved().iter() {
            rests.entry(account.clone()).or_default().extend_from_slice(unsaved);
        }
        Ok(Pauses::new(rests))
    }

    /// The gateway refused the account.
    pub fn refused(
        &self,
        account: &Account,
        secret: &Secret,
        reason: FailureKind,
        now: DateTime<Utc>,
    ) -> Result<(), BookError> {
        let mark = SecretMark::of(secret, salt());
        let add = |rests: &mut Vec<Rest>| {
            let earlier = rests.iter().position(|rest| rest.refused.is_of(secret)).map(|at| rests.remove(at));
            rests.push(Rest::after(earlier.as_ref(), reason, mark.clone(), now));
            if rests.len() > MOST_SECRETS {
                rests.remove(0);
            }
        };
        let saved = self.change(now, |page| add(page.accounts.entry(key(account)).or_default()));
        match saved {
            Ok(()) => drop(self.unsaved().remove(&key(account))),
            Err(_) => add(self.unsaved().entry(key(account)).or_default()),
        }
        saved
    }

    fn unsaved(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Rest>>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The gateway accepted the account with this secret.
    pub fn accepted(&self, account: &Account, secret: &Secret, now: DateTime<Utc>) -> Result<(), BookError> {
        self.unsaved().remove(&key(account));
        // Nearly always there is nothing to change, and then nothing is written.
        if !self.read(now).map_err(|e| self.error(e))?.accounts.contains_key(&key(account)) {
            return Ok(());
        }
        self.change(now, |page| {
            let rests = page.accounts.entry(key(account)).or_default();
            rests.retain(|rest| !rest.refused.is_of(secret));
            if rests.is_empty() {
                page.accounts.remove(&key(account));
            }
        })
    }

    /// The client asks for the password again without having refused it: whether it may be typed a second time. Once a
    /// day (24 h) and account; the answer `true` is noted before it is given.
    pub fn second_sending(&self, account: &Account, now: DateTime<Utc>) -> Result<bool, BookError> {
        let mut granted = false;
        self.change(now, |page| {
            let last = page.second_sendings.get(&key(account)).copied();
            // A clock that was set back does not make it wait longer than from now on.
            granted = last.is_none_or(|last| now.signed_duration_since(last.min(now)) >= BETWEEN_SECOND_SENDINGS);
            let noted = if granted { now } else { last.map_or(now, |last| last.min(now)) };
            page.second_sendings.insert(key(account), noted);
            page.second_sendings.retain(|_, at| now.signed_duration_since(*at) < BETWEEN_SECOND_SENDINGS);
        })?;
        Ok(granted)
    }

    /// Notes which secret of one-time codes the account had when it was refused.
    pub fn note_code_secret(
        &self,
        account: &Account,
        secret: Option<&Secret>,
        now: DateTime<Utc>,
    ) -> Result<(), BookError> {
        let mark = secret.map(|secret| SecretMark::of(secret, salt()));
        self.change(now, |page| match mark {
            Some(mark) => drop(page.refused_codes.insert(key(account), mark)),
            None => drop(page.refused_codes.remove(&key(account))),
        })
    }

    /// Whether this secret of one-time codes is another than the one with which the account was refused.
    pub fn is_new_code_secret(
        &self,
        account: &Account,
        secret: &Secret,
        now: DateTime<Utc>,
    ) -> Result<bool, BookError> {
        let page = self.read(now).map_err(|e| self.error(e))?;
        Ok(page.refused_codes.get(&key(account)).is_none_or(|refused| !refused.is_of(secret)))
    }

    /// Takes a time step of the account's one-time codes: `false` when it, or a later one, was taken already, by
    /// whatever process. A code must not be sent twice: gateways refuse the second time, and count it.
    pub fn take_step(&self, account: &Account, step: Step, now: DateTime<Utc>) -> Result<bool, BookError> {
        if self.last_step(account, step, now)?.is_some_and(|last| last >= step.number) {
            return Ok(false);
        }
        let mut taken = false;
        self.change(now, |page| {
            let last = page.steps.get(&key(account)).filter(|last| step.can_follow(**last));
            taken = last.is_none_or(|last| last.number < step.number);
            if taken {
                page.steps.insert(key(account), step);
            }
        })?;
        Ok(taken)
    }

    /// The last time step that was taken, where it says anything about `step`.
    fn last_step(&self, account: &Account, step: Step, now: DateTime<Utc>) -> Result<Option<u64>, BookError> {
        let page = self.read(now).map_err(|e| self.error(e))?;
        Ok(page.steps.get(&key(account)).filter(|last| step.can_follow(**last)).map(|last| last.number))
    }

    /// Somebody says that the account may be tried again; tells whether it rested.
    pub fn resume(&self, account: &Account, now: DateTime<Utc>) -> Result<bool, BookError> {
        let mut rested = self.unsaved().remove(&key(account)).is_some();
        self.change(now, |page| rested |= page.accounts.remove(&key(account)).is_some())?;
        Ok(rested)
    }

    fn change(&self, now: DateTime<Utc>, change: impl FnOnce(&mut Page)) -> Result<(), BookError> {
        let changed = files::lock(&self.path).and_then(|_lock| {
            let mut page = self.read(now)?;
            change(&mut page);
            files::replace(&self.path, &serde_json::to_vec(&page)?)
        });
        changed.map_err(|e| self.error(e))
    }

    /// A damaged book is set aside and begun anew: an account may then be tried once too often, which is said.
    fn read(&self, now: DateTime<Utc>) -> io::Result<Page> {
        // Not why: those words could hold something of the book.
        let damaged = |aside: &Path, _: &str| {
            tracing::error!(aside = %aside.display(), "the accounts' book can't be read and was set aside: no account rests any more, and what was used of codes is not known");
        };
        let page =
            files::read_state(&self.path, now, |page: &Page| files::other_version(page.version, VERSION), damaged)?;
        Ok(page.unwrap_or_default())
    }

    fn error(&self, source: io::Error) -> BookError {
        BookError { path: self.path.clone(), source }
    }
}

/// An account's key: realm and user name, apart by a character that neither may contain.
pub(super) fn key(account: &Account) -> String {
    format!("{}\u{1f}{}", account.realm.as_deref().unwrap_or_default(), account.username)
}

/// The kernel always has randomness to give once it is up; without it the mark is unsalted and still not the secret.
fn salt() -> [u8; 16] {
    let mut salt = [0; 16];
    let _ = rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty());
    salt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-20T06:00:00Z".parse().unwrap()
    }

    fn account(realm: Option<&str>) -> Account {
        Account { username: "probe".into(), realm: realm.map(Into::into) }
    }

    #[test]
    fn a_refused_account_rests_for_every_process_and_no_other_does() {
        let dir = tempfile::tempdir().unwrap();
        let secret = Secret::new("hunter2");
        AccountBook::new(dir.path())
            .refused(&account(Some("staff")), &secret, FailureKind::AuthRejected, now())
            .unwrap();
        let book = AccountBook::new(dir.path());
        assert!(book.resting(&account(Some("staff")), &secret, now()).unwrap().is_some());
        assert_eq!(book.resting(&account(None), &secret, now()).unwrap(), None);
        assert!(book.resume(&account(Some("staff")), now()).unwrap());
        assert!(!book.resume(&account(Some("staff")), now()).unwrap());
        assert_eq!(book.resting(&account(Some("staff")), &secret, now()).unwrap(), None);
    }

    #[test]
    fn a_refusal_that_can_not_be_written_down_is_kept_in_mind() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let (book, secret) = (AccountBook::new(&state), Secret::new("hunter2"));
        let rests = |secret: &Secret| book.resting(&account(None), secret, now()).unwrap().is_some();
        std::fs::write(&state, "a file where the directory should be").unwrap();
        assert!(book.refused(&account(None), &secret, FailureKind::AuthRejected, now()).is_err());
        std::fs::remove_file(&state).unwrap();
        assert!(rests(&secret) && !rests(&Secret::new("a new one")));
        book.accepted(&account(None), &secret, now()).unwrap();
        assert!(!rests(&secret));
    }

    #[test]
    fn a_new_secret_that_is_refused_too_begins_with_the_shortest_rest() {
        let dir = tempfile::tempdir().unwrap();
        let book = AccountBook::new(dir.path());
        let until = |secret: &str| {
            let secret = Secret::new(secret);
            book.refused(&account(None), &secret, FailureKind::AuthRejected, now()).unwrap();
            book.resting(&account(None), &secret, now()).unwrap().unwrap().until.unwrap() - now()
        };
        assert_eq!([until("a"), until("a"), until("b")].map(|d| d.num_minutes()), [30, 120, 30]);
    }

    #[test]
    fn two_gateways_that_know_one_name_with_two_passwords_rest_apart() {
        let dir = tempfile::tempdir().unwrap();
        let book = AccountBook::new(dir.path());
        let rests = |secret: &Secret| book.resting(&account(None), secret, now()).unwrap().is_some();
        let (paris, lagos) = (Secret::new("paris"), Secret::new("lagos"));
        book.refused(&account(None), &paris, FailureKind::AuthRejected, now()).unwrap();
        assert!(rests(&paris) && !rests(&lagos));
        book.refused(&account(None), &lagos, FailureKind::AuthRejected, now()).unwrap();
        assert!(rests(&paris) && rests(&lagos));
        book.accepted(&account(None), &lagos, now()).unwrap();
        assert!(rests(&paris) && !rests(&lagos));
    }

    #[test]
    fn a_password_is_typed_a_second_time_once_a_day_and_account_whoever_asks() {
        let dir = tempfile::tempdir().unwrap();
        let may = |realm, hours| {
            let now = now() + TimeDelta::hours(hours);
            AccountBook::new(dir.path()).second_sending(&account(realm), now).unwrap()
        };
        assert_eq!([may(None, 0), may(None, 0), may(None, 23), may(Some("staff"), 23)], [true, false, false, true]);
        assert_eq!([may(None, 24), may(None, 25)], [true, false]);
        // The clock is set back by a year: the day begins anew, and ends.
        assert_eq!([may(None, -8760), may(None, -8737), may(None, -8736)], [false, false, true]);
    }

    #[test]
    fn a_time_step_is_taken_once_whoever_asks() {
        let dir = tempfile::tempdir().unwrap();
        let take = |realm, number| {
            let step = Step { number, period: 30 };
            AccountBook::new(dir.path()).take_step(&account(realm), step, now()).unwrap()
        };
        assert_eq!([take(None, 100), take(None, 100), take(None, 99), take(None, 101)], [true, false, false, true]);
        assert!(take(Some("staff"), 100));
        // A clock that was far ahead and is right again: the gateway never took those codes.
        assert!(take(None, 50));
    }

    #[test]
    fn a_book_of_an_earlier_version_is_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("accounts.json"), r#"{"version":1,"accounts":{}}"#).unwrap();
        assert!(AccountBook::new(dir.path()).second_sending(&account(None), now()).unwrap());
        assert!(!dir.path().join("accounts.json.damaged-20261120T060000Z").exists());
    }

    #[test]
    fn a_clock_that_is_set_back_by_a_day_does_not_prolong_a_rest_by_a_day() {
        let dir = tempfile::tempdir().unwrap();
        let (book, secret) = (AccountBook::new(dir.path()), Secret::new("hunter2"));
        let rests = |at| book.resting(&account(None), &secret, at).unwrap().is_some();
        book.refused(&account(None), &secret, FailureKind::AuthRejected, now()).unwrap();
        let day_before = now() - TimeDelta::days(1);
        assert!(rests(day_before) && rests(day_before + TimeDelta::minutes(29)));
        assert!(!rests(day_before + TimeDelta::minutes(31)));
    }

    #[test]
    fn a_damaged_book_is_set_aside() {
        let good = {
            let dir = tempfile::tempdir().unwrap();
            let book = AccountBook::new(dir.path());
            book.refused(&account(None), &Secret::new("x"), FailureKind::AuthRejected, now()).unwrap();
            std::fs::read_to_string(dir.path().join("accounts.json")).unwrap()
        };
        let newer = good.replace("\"version\":1", "\"version\":2");
        let half = &good[..good.len() / 2];
        for content in [Some(""), Some("{\"version\": 9}"), Some("\0\0"), Some(half), Some(&newer), None] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("accounts.json");
            match content {
                Some(content) => std::fs::write(&path, content).unwrap(),
                None => std::fs::create_dir(&path).unwrap(),
            }
            let book = AccountBook::new(dir.path());
            assert!(book.pauses().is_err() && path.exists(), "who only looks moves nothing: {content:?}");
            assert_eq!(book.resting(&account(None), &Secret::new("x"), now()).unwrap(), None, "{content:?}");
            assert!(dir.path().join("accounts.json.damaged-20261120T060000Z").exists(), "{content:?}");
            book.refused(&account(None), &Secret::new("x"), FailureKind::AuthRejected, now()).unwrap();
            assert!(book.pauses().unwrap().of(&account(None), now()).is_some());
        }
    }
}

//! The account of a login: whether it may be used, what was used of it, what the gateway made of it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::sleep;

use super::{StageEnd, VpnCycle};
use crate::account::{AccountBook, Step, Totp};
use crate::client::CodeSource;
use crate::clock::Clock;
use crate::config::{Account, Secret};
use crate::error::chain;
use crate::record::{FailureKind, FaultDomain, MalfunctionKind, Outcome};

/// Steps that are tried before the client is started: the one of now, and after waiting the next; one more where
/// another prober was quicker.
const TRIES: u32 = 3;

/// The account rests after the gateway refused it: another login with the same password could lock it.
pub(super) fn rests(cx: &VpnCycle<'_>) -> Option<StageEnd> {
    if cx.force {
        return None;
    }
    let (accounts, account, now) = (&cx.around.accounts, &cx.vpn.account, cx.around.clock.now());
    let resting = match accounts.resting(account, cx.password.as_ref()?, now) {
        Ok(resting) => resting?,
        // Without the book nobody knows: better no login than one too many.
        Err(e) => return Some(StageEnd::because(MalfunctionKind::AccountPaused, chain(&e))),
    };
    let was_the_code = matches!(resting.reason, FailureKind::OtpRejected | FailureKind::OtpRequired);
    if let Some(secret) = cx.otp_secret.as_ref().filter(|_| was_the_code) {
        // The secret of the codes was what the gateway refused, or missed: another one is worth a try.
        if accounts.is_new_code_secret(account, secret, now).unwrap_or(false) {
            return None;
        }
    }
    Some(StageEnd::because(MalfunctionKind::AccountPaused, resting.to_string()))
}

/// A refused account rests from now on, an accepted one does not.
pub(super) fn note(cx: &VpnCycle<'_>, end: &StageEnd) {
    let (accounts, account, now) = (&cx.around.accounts, &cx.vpn.account, cx.around.clock.now());
    let noted = match (end.outcome, &cx.password) {
        (Outcome::Failed(reason), Some(secret)) if reason.fault_domain() == FaultDomain::Identity => accounts
            .refused(account, secret, reason, now)
            .and_then(|()| accounts.note_code_secret(account, cx.otp_secret.as_ref(), now)),
        // The client's word is enough: what is wrong with the tunnel says nothing against the account.
        (_, Some(secret)) if cx.login.is_some() => accounts.accepted(account, secret, now),
        _ => Ok(()),
    };
    if let Err(e) = noted {
        tracing::error!(error = chain(&e), "whether the account rests could not be noted");
    }
}

/// The client asks for the password again, at random as it seems.
pub(super) fn may_type_again(cx: &VpnCycle<'_>) -> bool {
    match cx.around.accounts.second_sending(&cx.vpn.account, cx.around.clock.now()) {
        Ok(granted) => granted,
        // Without the book nobody knows: better one login too few.
        Err(e) => {
            tracing::error!(error = chain(&e), "the password is not typed a second time");
            false
        }
    }
}

/// Reserves the one-time code that will be typed, where the site has a secret for them. When the code of now was used
/// already, by whatever process, waits for the next one.
pub(super) async fn reserve_code(cx: &VpnCycle<'_>) -> Result<Option<Arc<Codes>>, StageEnd> {
    let Some(secret) = &cx.otp_secret else { return Ok(None) };
    let totp = Totp::parse(secret).map_err(|e| StageEnd::because(MalfunctionKind::PrepareFailed, e.to_string()))?;
    let codes = Codes {
        totp,
        accounts: cx.around.accounts.clone(),
        account: cx.vpn.account.clone(),
        clock: Arc::clone(&cx.around.clock),
        reserved: Mutex::new(None),
    };
    for _ in 0..TRIES {
        let now = codes.clock.now();
        let step = codes.totp.step_at(now);
        match codes.accounts.take_step(&codes.account, step, now) {
            Ok(true) => {
                *codes.reserved.lock().unwrap_or_else(PoisonError::into_inner) = Some(step);
                return Ok(Some(Arc::new(codes)));
            }
            Ok(false) => {
                let next = Step { number: step.number + 1, ..step };
                sleep(codes.totp.until(next, now)).await;
            }
            Err(e) => return Err(StageEnd::because(MalfunctionKind::AccountPaused, chain(&e))),
        }
    }
    Err(StageEnd::because(MalfunctionKind::AccountPaused, "every one-time code of this time was used already"))
}

/// The one-time codes of an account: each time step's once, whoever asks.
pub(super) struct Codes {
    totp: Totp,
    accounts: AccountBook,
    account: Account,
    clock: Arc<dyn Clock>,
    /// Taken for this login and not typed yet.
    reserved: Mutex<Option<Step>>,
}

impl CodeSource for Codes {
    fn code(&self) -> Result<Secret, String> {
        let now = self.clock.now();
        let step = self.totp.step_at(now);
        let reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The login may have lasted into the next step, whose code is then the right one.
        if reserved != Some(step) {
            match self.accounts.take_step(&self.account, step, now) {
                Ok(true) => {}
                Ok(false) => return Err("the one-time code of this time was used already".to_owned()),
                Err(e) => return Err(chain(&e)),
            }
        }
        Ok(self.totp.code(step))
    }
}

//! Who may answer: the approver key, bearers that one-time codes were exchanged for, and permissions for one answer.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_hub::{Hub, random_hex};
use countersign_model::{Approval, Millis, Verdict};

/// How long a code or a permission is good for, in seconds.
const CODE_SECONDS: i64 = 60;
/// Codes, bearers and permissions that are held at once; the oldest go.
const MAX_HELD: usize = 256;

/// What a local program asks a person to allow.
#[derive(Clone, Debug)]
pub enum ConfirmAsk {
    /// A web monitor that may answer.
    Dashboard,
    /// One answer.
    Answer {
        /// To this request.
        approval: Box<Approval>,
        /// Namely.
        decision: Verdict,
    },
}

/// Asks the person at the desktop. The shell implements it.
pub trait Confirm: Send + Sync + 'static {
    /// Whether they allow it; closing the question means no.
    fn confirm(&self, ask: ConfirmAsk) -> Pin<Box<dyn Future<Output = bool> + Send>>;
}

/// What a credential allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Publish, ask and read.
    Peer,
    /// Answer, stop, write rules, too.
    Approver,
    /// Give this one answer, too.
    Answer(Arc<str>, Verdict),
}

/// A credential that is not ours, or no longer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadToken;

#[derive(Default)]
struct Held {
    codes: HashMap<String, Millis>,
    bearers: HashMap<String, Millis>,
    answers: HashMap<String, (Millis, Arc<str>, Verdict)>,
}

/// The keys of this run.
pub(crate) struct Keys {
    approver: String,
    open_answers: bool,
    held: Mutex<Held>,
    confirm: Option<Arc<dyn Confirm>>,
    connected: AtomicUsize,
}

impl Keys {
    pub(crate) fn new(open_answers: bool, confirm: Option<Arc<dyn Confirm>>) -> Self {
        Self {
            approver: random_hex(32),
            open_answers,
            held: Mutex::default(),
            confirm,
            connected: AtomicUsize::new(0),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The approver key, for whoever keeps it.
    pub(crate) fn approver(&self) -> &str {
        &self.approver
    }

    pub(crate) fn confirm(&self) -> Option<&Arc<dyn Confirm>> {
        self.confirm.as_ref()
    }

    /// What `token` allows now.
    pub(crate) fn right(&self, token: Option<&str>, now: Millis) -> Result<Right, BadToken> {
        let Some(token) = token else {
            return Ok(if self.open_answers {
                Right::Approver
            } else {
                Right::Peer
            });
        };
        if same(token, &self.approver) {
            return Ok(Right::Approver);
        }
        let held = self.held();
        // Looked up by a 256-bit secret: how long a miss takes tells nothing of use.
        if held.bearers.contains_key(token) {
            return Ok(Right::Approver);
        }
        match held.answers.get(token) {
            Some((until, approval, decision)) if *until > now => Ok(Right::Answer(approval.clone(), *decision)),
            _ => Err(BadToken),
        }
    }

    /// A code that one page can exchange for a bearer.
    pub(crate) fn new_code(&self, now: Millis) -> String {
        let code = random_hex(16);
        let mut held = self.held();
        held.codes.retain(|_, until| *until > now);
        make_room(&mut held.codes, |until| *until);
        held.codes.insert(code.clone(), now.plus_seconds(CODE_SECONDS));
        code
    }

    /// Exchanges a code, once.
    pub(crate) fn exchange(&self, code: &str, now: Millis) -> Option<String> {
        let mut held = self.held();
        held.codes.remove(code).filter(|until| *until > now)?;
        let bearer = random_hex(32);
        make_room(&mut held.bearers, |since| *since);
        held.bearers.insert(bearer.clone(), now);
        Some(bearer)
    }

    /// A token for one answer.
    pub(crate) fn new_answer(&self, approval: Arc<str>, decision: Verdict, now: Millis) -> String {
        let token = random_hex(32);
        let mut held = self.held();
        held.answers.retain(|_, (until, ..)| *until > now);
        make_room(&mut held.answers, |(until, ..)| *until);
        held.answers
            .insert(token.clone(), (now.plus_seconds(CODE_SECONDS), approval, decision));
        token
    }

    /// Uses up a token for one answer.
    pub(crate) fn spend(&self, token: &str) {
        self.held().answers.remove(token);
    }

    /// Counts a connection that may answer, while the guard lives.
    pub(crate) fn count_approver(self: &Arc<Self>) -> ApproverGuard {
        self.connected.fetch_add(1, Ordering::Relaxed);
        ApproverGuard(self.clone())
    }

    /// How many surfaces can answer now: the desktop, and connections with the right.
    pub(crate) fn approvers(&self) -> usize {
        self.connected.load(Ordering::Relaxed) + usize::from(self.confirm.is_some())
    }
}

fn make_room<T>(held: &mut HashMap<String, T>, age: impl Fn(&T) -> Millis) {
    if held.len() >= MAX_HELD {
        let oldest = held
            .iter()
            .min_by_key(|(_, value)| age(value))
            .map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            held.remove(&oldest);
        }
    }
}

/// Compares without telling, by the time it takes, how much was right.
fn same(given: &str, key: &str) -> bool {
    given.len() == key.len()
        && given
            .bytes()
            .zip(key.bytes())
            .fold(0, |differ, (a, b)| differ | (a ^ b))
            == 0
}

/// Held by a connection that may answer.
pub(crate) struct ApproverGuard(Arc<Keys>);

impl Drop for ApproverGuard {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The hub and the keys, as every route has them.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) hub: Arc<Hub>,
    pub(crate) keys: Arc<Keys>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_exchanged_once_and_in_time() {
        let keys = Keys::new(false, None);
        let (now, late) = (Millis(0), Millis(61_000));
        let code = keys.new_code(now);
        let bearer = keys.exchange(&code, now).expect("first time");
        assert_eq!(keys.right(Some(&bearer), now), Ok(Right::Approver));
        assert_eq!(keys.exchange(&code, now), None);
        let code = keys.new_code(now);
        assert_eq!(keys.exchange(&code, late), None);
    }

    #[test]
    fn a_permission_is_for_one_answer() {
        let keys = Keys::new(false, None);
        let token = keys.new_answer("apr-1".into(), Verdict::Deny, Millis(0));
        let right = Right::Answer("apr-1".into(), Verdict::Deny);
        assert_eq!(keys.right(Some(&token), Millis(1)), Ok(right));
        keys.spend(&token);
        assert_eq!(keys.right(Some(&token), Millis(1)), Err(BadToken));
    }

    #[test]
    fn without_a_token_nobody_answers_unless_the_config_says_so() {
        assert_eq!(Keys::new(false, None).right(None, Millis(0)), Ok(Right::Peer));
        assert_eq!(Keys::new(true, None).right(None, Millis(0)), Ok(Right::Approver));
        let keys = Keys::new(true, None);
        assert_eq!(keys.right(Some("wrong"), Millis(0)), Err(BadToken));
        assert_eq!(keys.right(Some(keys.approver()), Millis(0)), Ok(Right::Approver));
    }
}

//! The secrets of this run: the approver key, bearers that one-time codes were exchanged for, permissions for one answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_hub::random_hex;
use countersign_model::{Millis, Verdict};

use super::access::{Access, Roles, Standing};
use super::confirm::Confirm;
use super::jwt;
use super::token::TokenWish;

/// How long a code or a permission is good for, in seconds.
const CODE_SECONDS: i64 = 60;
/// Codes, bearers and permissions that are held at once; the oldest go.
const MAX_HELD: usize = 256;

/// Why a credential allows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadToken {
    /// Not ours, or not as it should be.
    #[error("the token is not valid")]
    Invalid,
    /// No longer.
    #[error("the token has expired")]
    Expired,
    /// Not yet.
    #[error("the token is not valid yet")]
    Early,
}

/// What tokens are signed with.
pub(crate) struct Secrets {
    /// The data folder's own.
    pub(crate) folder: Vec<u8>,
    /// That of others, whose tokens are taken, too.
    pub(crate) foreign: Option<Vec<u8>>,
    /// Whether tokens signed with what is in a file may carry the approver's right: not while a person is there to ask.
    pub(crate) files_approve: bool,
}

/// How a hub lets people in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lock {
    /// Whoever can connect may answer.
    pub(crate) open_answers: bool,
    /// Everybody needs a credential.
    pub(crate) required: bool,
}

#[derive(Default)]
struct Held {
    /// Until when, and what for.
    codes: HashMap<String, (Millis, Access)>,
    /// Since when, and what for.
    bearers: HashMap<String, (Millis, Access)>,
    answers: HashMap<String, (Millis, Arc<str>, Verdict)>,
}

/// The keys of this run.
pub(crate) struct Keys {
    approver: String,
    lock: Lock,
    /// This run's own: what is signed with it ends with the hub, and may approve.
    run: Arc<[u8]>,
    /// Each with whether its tokens may approve.
    secrets: Vec<(Arc<[u8]>, bool)>,
    held: Mutex<Held>,
    confirm: Option<Arc<dyn Confirm>>,
    connected: AtomicUsize,
}

impl Keys {
    pub(crate) fn new(lock: Lock, secrets: Secrets, confirm: Option<Arc<dyn Confirm>>) -> Self {
        let run: Arc<[u8]> = random_hex(32).into_bytes().into();
        let files = std::iter::once(secrets.folder).chain(secrets.foreign);
        let files = files.map(|secret| (secret.into(), secrets.files_approve));
        Self {
            approver: random_hex(32),
            lock,
            secrets: std::iter::once((run.clone(), true)).chain(files).collect(),
            run,
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

    /// What somebody without a credential may do; nobody is let in without one where the configuration says so.
    pub(crate) fn local(&self) -> Option<Access> {
        if self.lock.required {
            return None;
        }
        let roles = if self.lock.open_answers {
            Roles::ALL
        } else {
            Roles::PEER
        };
        Some(Access::of(roles, Standing::Local))
    }

    /// Whether every request needs a credential.
    pub(crate) fn required(&self) -> bool {
        self.lock.required
    }

    /// What `token` allows now.
    pub(crate) fn access(&self, token: &str, now: Millis) -> Result<Access, BadToken> {
        if same(token, &self.approver) {
            return Ok(Access::of(Roles::ALL, Standing::Known));
        }
        let held = self.held();
        // Looked up by a 256-bit secret: how long a miss takes tells nothing of use.
        if let Some((_, access)) = held.bearers.get(token) {
            return if access.expires.is_none_or(|expires| expires > now) {
                Ok(access.clone())
            } else {
                Err(BadToken::Expired)
            };
        }
        match held.answers.get(token) {
            Some((until, approval, decision)) if *until > now => Ok(Access {
                one_answer: Some((approval.clone(), *decision)),
                ..Access::of(Roles::PEER, Standing::Known)
            }),
            Some(_) => Err(BadToken::Expired),
            None => {
                drop(held);
                jwt::read(&self.secrets, token, now)
            }
        }
    }

    /// A token of this run.
    pub(crate) fn sign(&self, wish: &TokenWish, now: Millis) -> String {
        wish.signed(&self.run, now)
    }

    /// A code that one page can exchange for a bearer with this access.
    pub(crate) fn new_code(&self, access: Access, now: Millis) -> String {
        let code = random_hex(16);
        let mut held = self.held();
        held.codes.retain(|_, (until, _)| *until > now);
        make_room(&mut held.codes, |(until, _)| *until);
        held.codes
            .insert(code.clone(), (now.plus_seconds(CODE_SECONDS), access));
        code
    }

    /// Exchanges a code, once.
    pub(crate) fn exchange(&self, code: &str, now: Millis) -> Option<String> {
        let mut held = self.held();
        let (_, access) = held.codes.remove(code).filter(|(until, _)| *until > now)?;
        let bearer = random_hex(32);
        make_room(&mut held.bearers, |(since, _)| *since);
        held.bearers.insert(bearer.clone(), (now, access));
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

#[cfg(test)]
mod tests {
    use super::super::token::Role;
    use super::*;

    fn keys(lock: Lock, files_approve: bool) -> Keys {
        let secrets = Secrets {
            folder: b"the folder's secret, 32 bytes ok".to_vec(),
            foreign: Some(b"theirs".to_vec()),
            files_approve,
        };
        Keys::new(lock, secrets, None)
    }

    fn plain() -> Keys {
        keys(Lock::default(), true)
    }

    #[test]
    fn beside_a_desktop_only_tokens_of_the_run_approve() {
        let wish = TokenWish {
            roles: vec![Role::Monitor, Role::Approver],
            streams: Vec::new(),
            subject: None,
            ttl: 60,
        };
        let now = Millis(1_800_000_000_000);
        for (files_approve, expect) in [(true, true), (false, false)] {
            let keys = keys(Lock::default(), files_approve);
            for secret in [&b"the folder's secret, 32 bytes ok"[..], b"theirs"] {
                assert_eq!(may_answer(&keys, &wish.signed(secret, now), now), Some(expect));
            }
            assert_eq!(may_answer(&keys, &keys.sign(&wish, now), now), Some(true));
            let end = now.plus_seconds(60);
            assert_eq!(keys.access(&keys.sign(&wish, now), end), Err(BadToken::Expired));
            assert_eq!(keys.access(&wish.signed(b"nobody's", now), now), Err(BadToken::Invalid));
        }
        let (one, other) = (plain(), plain());
        assert_eq!(other.access(&one.sign(&wish, now), now), Err(BadToken::Invalid));
    }

    fn may_answer(keys: &Keys, token: &str, now: Millis) -> Option<bool> {
        keys.access(token, now).ok().map(|access| access.may_answer())
    }

    #[test]
    fn a_code_is_exchanged_once_and_in_time() {
        let keys = plain();
        let (now, late) = (Millis(0), Millis(61_000));
        let code = keys.new_code(Access::of(Roles::ALL, Standing::Known), now);
        let bearer = keys.exchange(&code, now).expect("first time");
        assert_eq!(may_answer(&keys, &bearer, now), Some(true));
        assert_eq!(keys.exchange(&code, now), None);
        let code = keys.new_code(Access::of(Roles::ALL, Standing::Known), now);
        assert_eq!(keys.exchange(&code, late), None);
    }

    #[test]
    fn a_permission_is_for_one_answer() {
        let keys = plain();
        let token = keys.new_answer("apr-1".into(), Verdict::Deny, Millis(0));
        let access = keys.access(&token, Millis(1)).expect("held");
        assert_eq!(access.one_answer, Some(("apr-1".into(), Verdict::Deny)));
        assert!(!access.may_answer());
        keys.spend(&token);
        assert_eq!(keys.access(&token, Millis(1)), Err(BadToken::Invalid));
    }

    #[test]
    fn without_a_token_nobody_answers_unless_the_config_says_so() {
        let with = |open_answers, required| keys(Lock { open_answers, required }, true);
        let local = |open, required| with(open, required).local().map(|access| access.may_answer());
        assert_eq!(local(false, false), Some(false));
        assert_eq!(local(true, false), Some(true));
        assert_eq!(local(false, true), None);
        let keys = with(true, false);
        assert_eq!(may_answer(&keys, "wrong", Millis(0)), None);
        assert_eq!(may_answer(&keys, keys.approver(), Millis(0)), Some(true));
    }
}

//! A question for a person: asked, held until there is an answer, and what a no ends.

use std::sync::Arc;

use axum::response::Response;
use countersign_agents::hook::{About, Agent, Answer, Phase};
use countersign_hub::{AskError, Asked, Refusal};
use countersign_model::{Approval, Extra, NewEvent, Origin, kind, to_json};
use futures_util::future::BoxFuture;
use serde_json::json;

use super::calls::Refused;
use super::door::Visit;
use super::ruling;
use super::waiting::{Asker, hold};
use crate::problem::Problem;

/// Why a question was taken back whose connection ended.
const GONE: &str = "answered in the terminal, or the hook's process ended";

impl Visit {
    /// A question for a person.
    pub(super) async fn permission(self) -> Result<Response, Problem> {
        let about = About {
            call_id: self.call(),
            ..About::default()
        };
        if let Some(approval) = self.approved_before(about.call_id.as_deref()) {
            let about = About {
                not_asked: Some(format!("a person approved this very call before ({approval})")),
                ..about
            };
            self.publish(Vec::new(), self.hook.event(&about)).await?;
            let (arguments, grants) = (None, Vec::new());
            return Ok(self.say(Some(&Answer::Permit { arguments, grants })));
        }
        match self.ask(&about).await? {
            Ok(asked) => Ok(self.hold(asked, about.call_id, ruling::permission)),
            // Nothing is said, so that the agent asks for itself.
            Err(refused) => {
                tracing::warn!(agent = %self.key.agent, session = %self.key.session, %refused, "a permission request was not taken in");
                let about = About {
                    not_asked: Some(refused.to_string()),
                    ..About::default()
                };
                self.publish(Vec::new(), self.hook.event(&about)).await?;
                Ok(self.say(None))
            }
        }
    }

    /// The one call that a `PermissionRequest` can be about.
    pub(super) fn call(&self) -> Option<String> {
        self.hooks().calls().alike(&self.key, self.digest.as_ref()?).1
    }

    /// By which approval a person let the call run that the agent asks about. Codex asks after its hook before the call was told to
    /// let it run; Claude Code does not.
    fn approved_before(&self, call: Option<&str>) -> Option<Arc<str>> {
        let stopped = self.hub().stop_over(&self.key, Origin::Hook).is_some();
        (self.hook.agent == Agent::Codex && !stopped)
            .then(|| self.hooks().calls().take_approval(&self.key, call?))
            .flatten()
    }

    pub(super) fn request_id(&self) -> Arc<str> {
        format!("hook-{}", self.stamp.request).into()
    }

    pub(super) async fn ask(&self, about: &About) -> Result<Result<Asked, AskError>, Problem> {
        let mut ask = self.hook.ask(self.request_id(), about);
        ask.stream.clone_from(&self.stream);
        ask.timeout = self.app.settings.approval_timeout;
        match self.hub().ask(ask).await {
            Err(error @ AskError::Archive(_)) => Err(error.into()),
            // The same id for another call: not a question that can be answered here, nor one to tell twice.
            Err(error @ AskError::Refused(Refusal::Conflict(_))) => Err(error.into()),
            asked => Ok(asked),
        }
    }

    /// Holds the connection until somebody has decided about `call`, where that is known.
    pub(super) fn hold(self, asked: Asked, call: Option<String>, answer: fn(&Approval) -> Option<Answer>) -> Response {
        let (hooks, closing) = (self.hooks().clone(), self.app.settings.closing.clone());
        if let Some(call) = &call {
            hooks.asks(asked.waiter.id(), call.clone());
        }
        let visit = Arc::new(self);
        let asking = visit.clone();
        let reply = move |approval: Approval| -> BoxFuture<'static, Option<String>> {
            Box::pin(async move {
                let answer = answer(&approval);
                if let (Some(Answer::Allow { .. }), Some(call)) = (&answer, &visit.hook.call_id) {
                    visit.hooks().calls().approve(&visit.key, call, approval.id.clone());
                }
                visit.end_denied(&approval, answer.as_ref()).await;
                visit.hook.agent.encode(&answer?)
            })
        };
        let asker = Asker {
            gone: GONE,
            ended: Box::new(move |approval| hooks.answered(approval)),
            withdrawn: Some(Box::new(move || asking.refused_elsewhere(call))),
        };
        hold(asked.waiter, asker, closing, reply)
    }

    /// A call that may not run has an end of its own, of which the agent says nothing; nor does it of others that a stop ends.
    pub(super) async fn end_denied(&self, approval: &Approval, answer: Option<&Answer>) {
        let (told, stop) = match answer {
            Some(Answer::Refuse { message, stop }) => (message, *stop),
            Some(Answer::Deny { reason, stop }) => (reason, *stop),
            _ => return,
        };
        let call = self.hooks().asked(&approval.id);
        // Its own dialog stands in the terminal, too: who was first there shows when the call has run, or its batch is over.
        let races = self.hook.agent == Agent::ClaudeCode && self.hook.phase == Phase::Permission;
        if let (true, false, Some(call)) = (races, stop, &call) {
            let refused = Refused {
                approval: approval.id.clone(),
                words: told.clone(),
            };
            self.hooks().calls().refuse(&self.key, call, refused);
            return;
        }
        let left = match call {
            _ if stop => self.hooks().calls().over(&self.key),
            Some(call) => Vec::from_iter(self.hooks().calls().end(&self.key, &call)),
            None => return,
        };
        let ends: Vec<_> = left
            .iter()
            .map(|call| self.own(self.no_end(&self.key.session, call, Some(told.clone()))))
            .collect();
        // None of these kinds is refused, and without one there is nothing to tell.
        let _ = self.hub().publish(ends).await;
    }

    /// The hook that asked ended without an answer. Claude Code ends it when the person says no in the terminal, which ends the turn as
    /// well, and when it ends itself; of both it tells nothing. After a yes the hook goes on.
    fn refused_elsewhere(self: Arc<Self>, call: Option<String>) {
        if self.hook.agent != Agent::ClaudeCode || self.hook.phase != Phase::Permission {
            return;
        }
        let left = call.and_then(|call| self.hooks().calls().end(&self.key, &call));
        let end = left.map(|call| self.no_end(&self.key.session, &call, Some(GONE.to_owned())));
        let turn = self.hook.parent.is_none().then(|| NewEvent {
            origin: Origin::Hook,
            agent: self.key.agent.clone(),
            session: Some(self.key.session.clone()),
            stream: None,
            kind: kind::INTERRUPT.into(),
            timestamp: None,
            data: to_json(&json!({ "reason": GONE, "hook_event_name": self.hook.name })),
            extra: Extra::default(),
        });
        let events: Vec<_> = end.into_iter().chain(turn).map(|event| self.own(event)).collect();
        if let (false, Ok(runtime)) = (events.is_empty(), tokio::runtime::Handle::try_current()) {
            // As with an end that is denied, none of these kinds is refused.
            runtime.spawn(async move { self.hub().publish(events).await.map(drop) });
        }
    }
}

//! The way of one hook: read, told to the log, answered.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use countersign_agents::gate::{self, Decision};
use countersign_agents::hook::{About, Agent, Answer, Hook, HookError, Phase};
use countersign_dialects::limits::MAX_RESULT_KEPT;
use countersign_dialects::shrink;
use countersign_hub::{AskError, Asked, Hub};
use countersign_model::{Approval, Extra, Millis, NewEvent, Origin, Seq, SessionKey, Surface, kind, to_json};
use futures_util::future::BoxFuture;
use serde_json::json;
use serde_json::value::RawValue;

use super::calls::Call;
use super::journal::Record;
use super::stamp::Stamp;
use super::{Hooks, ruling, waiting};
use crate::auth::Access;
use crate::problem::Problem;
use crate::rest::{Text, reply};
use crate::router::App;

const ELSEWHERE: &str = "answered in the terminal";
const TURN_OVER: &str = "the agent's turn ended without an answer";
const SESSION_OVER: &str = "the agent's session ended";

/// `POST /hooks/claude-code`.
pub(crate) async fn claude_code(
    state: State<App>,
    access: Extension<Access>,
    headers: HeaderMap,
    body: Text,
) -> Result<Response, Problem> {
    take(Agent::ClaudeCode, state, access, headers, body).await
}

/// `POST /hooks/codex`.
pub(crate) async fn codex(
    state: State<App>,
    access: Extension<Access>,
    headers: HeaderMap,
    body: Text,
) -> Result<Response, Problem> {
    take(Agent::Codex, state, access, headers, body).await
}

impl From<HookError> for Problem {
    fn from(error: HookError) -> Self {
        let problem = Self::bad_request(error.error);
        match error.field {
            Some(field) => problem.with("field", field.into()),
            None => problem,
        }
    }
}

async fn take(
    agent: Agent,
    State(app): State<App>,
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    Text(body): Text,
) -> Result<Response, Problem> {
    let stamp = Stamp::read(&headers)?;
    let hook = agent.decode(&body)?;
    let visit = Visit {
        key: hook.key(),
        digest: hook.call_digest(),
        stream: access.stream(None)?,
        hook,
        stamp,
        app,
        body,
    };
    if visit.stamp.late.is_some() {
        return visit.late().await;
    }
    match visit.hook.phase {
        Phase::Prompt => visit.prompt().await,
        Phase::BeforeTool => visit.before_tool().await,
        Phase::Permission => visit.permission().await,
        Phase::AfterTool | Phase::AfterBatch => visit.after_tool().await,
        Phase::Tells | Phase::TurnOver | Phase::SessionOver => visit.tells().await,
    }
}

/// Takes in what found no hub when it happened, with the id that its hook had then.
pub(super) async fn take_late(app: App, agent: Agent, id: &str, time: Millis, body: &str) -> Result<(), Problem> {
    let hook = agent.decode(body)?;
    let visit = Visit {
        key: hook.key(),
        digest: hook.call_digest(),
        stream: None,
        hook,
        stamp: Stamp::spooled(id, time),
        app,
        body: String::new(),
    };
    visit.late().await.map(drop)
}

/// One hook on its way.
struct Visit {
    app: App,
    /// As it came.
    body: String,
    hook: Hook,
    stamp: Stamp,
    stream: Option<Arc<str>>,
    key: SessionKey,
    /// The call, as [`Hook::call_digest`] names it.
    digest: Option<String>,
}

impl Visit {
    fn hub(&self) -> &Arc<Hub> {
        &self.app.door.hub
    }

    fn hooks(&self) -> &Hooks {
        &self.app.hooks
    }

    /// The reply, once nobody is waited for.
    fn say(&self, answer: Option<&Answer>) -> Response {
        match answer.and_then(|answer| self.hook.agent.encode(answer)) {
            Some(text) => reply(StatusCode::OK, "application/json", text),
            None => StatusCode::OK.into_response(),
        }
    }

    /// Whether the sender has told this before.
    fn is_known(&self) -> bool {
        self.stamp.mark.is_some_and(|mark| self.hub().seen(mark).is_some())
    }

    /// Puts the hook's event into the log, once however often it is sent, and waits until it outlives the hub. `before` go ahead of it.
    async fn publish(&self, mut before: Vec<NewEvent>, event: NewEvent) -> Result<(), Problem> {
        let hub = self.hub();
        let mut event = self.own(event);
        if let Some(cut) = shrink::kept(&event.data, "result", MAX_RESULT_KEPT)
            && let Ok(cut) = RawValue::from_string(cut)
        {
            event.data = cut;
        }
        let last = match self.stamp.mark {
            Some(mark) => {
                if !before.is_empty() && !self.is_known() {
                    hub.publish(before.into_iter().map(|event| self.own(event)).collect())
                        .await?;
                }
                hub.publish_once(vec![(event, mark)]).await?.last
            }
            None => {
                before = before.into_iter().map(|event| self.own(event)).collect();
                before.push(event);
                hub.publish(before).await?.last
            }
        };
        if self.keep(last) {
            return Ok(());
        }
        Ok(hub.committed(last).await?)
    }

    /// Keeps the hook where the next hub finds it if this one ends before the commit; `false` when that has to be waited for.
    fn keep(&self, seq: Seq) -> bool {
        // What comes again anyway, or nobody would recognise, waits.
        if !self.stamp.is_live() || self.stream.is_some() {
            return false;
        }
        let record = Record {
            agent: self.hook.agent.name().to_owned(),
            id: self.stamp.request.clone(),
            time: self.hub().now(),
            body: self.body.clone(),
        };
        self.hooks().journal.keep(self.hub(), seq, &record)
    }

    fn own(&self, mut event: NewEvent) -> NewEvent {
        event.stream.clone_from(&self.stream);
        event
    }

    /// Something that only tells.
    async fn tells(&self) -> Result<Response, Problem> {
        let (mut before, mut about) = (Vec::new(), About::default());
        match self.hook.phase {
            Phase::TurnOver => {
                let left = self.hooks().calls().over(&self.key);
                before.extend(left.into_iter().map(|call| self.no_end(&self.key.session, &call, None)));
                if let Some(turn) = &self.hook.turn {
                    about.turn_told = self.hooks().calls().turn_told(&self.key, turn);
                }
            }
            Phase::SessionOver => {
                let left = self.hooks().calls().gone(&self.key);
                before.extend(
                    left.into_iter()
                        .map(|(session, call)| self.no_end(&session, &call, None)),
                );
            }
            _ => {}
        }
        self.publish(before, self.hook.event(&about)).await?;
        match self.hook.phase {
            Phase::TurnOver => self.take_back(TURN_OVER, |approval| approval.session == self.key.session),
            Phase::SessionOver => {
                let children = format!("{}/", self.key.session);
                self.take_back(SESSION_OVER, |approval| {
                    approval.session == self.key.session || approval.session.starts_with(&children)
                });
            }
            _ => {}
        }
        Ok(self.say(None))
    }

    /// A person's words; to a stopped session they do not go.
    async fn prompt(&self) -> Result<Response, Problem> {
        self.publish(Vec::new(), self.hook.event(&About::default())).await?;
        let stop = self.hub().stop_over(&self.key, Origin::Hook);
        let answer = stop.map(|stop| Answer::Block {
            reason: ruling::blocked(&stop),
        });
        Ok(self.say(answer.as_ref()))
    }

    /// A call is about to run: not in a stopped session, and else as the policy says.
    async fn before_tool(self) -> Result<Response, Problem> {
        let tool = self.hook.tool.as_deref().unwrap_or_default();
        let rule = gate::find(&self.hooks().gate, self.hook.agent, tool, &self.hook.input()).cloned();
        let about = About {
            policy: rule.as_ref().map(to_json),
            ..About::default()
        };
        let event = self.hook.event(&about);
        if let Some(stop) = self.hub().stop_over(&self.key, Origin::Hook) {
            let reason = ruling::stopped(&stop);
            return self.deny(event, reason, true).await;
        }
        let Some(rule) = rule else {
            self.begin();
            self.publish(Vec::new(), event).await?;
            return Ok(self.say(None));
        };
        let reason = rule.reason();
        match rule.decision {
            Decision::Deny => self.deny(event, reason, false).await,
            Decision::Stop => {
                self.hub().stop(&self.key, Surface::Hub, Some(reason.clone()));
                self.deny(event, reason, true).await
            }
            Decision::Allow => {
                self.begin();
                self.publish(Vec::new(), event).await?;
                let arguments = None;
                Ok(self.say(Some(&Answer::Allow { reason, arguments })))
            }
            Decision::Ask => {
                self.begin();
                self.publish(Vec::new(), event).await?;
                match self.ask(&About::default()).await? {
                    Ok(asked) => {
                        let call = self.hook.call_id.clone();
                        Ok(self.hold(asked, call, ruling::before_tool))
                    }
                    // What cannot be asked about must not run because of that.
                    Err(refused) => {
                        let reason = format!("Countersign's policy asks a person about this, and could not: {refused}");
                        Ok(self.say(Some(&Answer::Deny { reason, stop: false })))
                    }
                }
            }
        }
    }

    /// The call does not run, which its own end says.
    async fn deny(&self, start: NewEvent, reason: String, stop: bool) -> Result<Response, Problem> {
        let end = self.hook.call_id.clone().map(|id| {
            let call = Call {
                id,
                tool: self.hook.tool.clone().unwrap_or_default(),
                digest: String::new(),
            };
            self.no_end(&self.key.session, &call, Some(reason.clone()))
        });
        match end {
            Some(end) => self.publish(vec![start], end).await?,
            None => self.publish(Vec::new(), start).await?,
        }
        Ok(self.say(Some(&Answer::Deny { reason, stop })))
    }

    /// A call has begun.
    fn begin(&self) {
        if let (Some(id), Some(digest)) = (&self.hook.call_id, &self.digest) {
            let call = Call {
                id: id.clone(),
                tool: self.hook.tool.clone().unwrap_or_default(),
                digest: digest.clone(),
            };
            self.hooks().calls().begin(&self.key, call);
        }
    }

    /// The end of a call that the agent tells no end of: it was denied, or broken off.
    fn no_end(&self, session: &Arc<str>, call: &Call, told: Option<String>) -> NewEvent {
        let error = told.unwrap_or_else(|| "the agent told no end of this call".to_owned());
        NewEvent {
            origin: Origin::Hook,
            agent: self.key.agent.clone(),
            session: Some(session.clone()),
            stream: None,
            kind: kind::TOOL_CALL_END.into(),
            timestamp: None,
            data: to_json(&json!({
                "tool_name": call.tool,
                "call_id": call.id,
                "success": false,
                "error": error,
                "hook_event_name": self.hook.name,
            })),
            extra: Extra::default(),
        }
    }

    /// A question for a person.
    async fn permission(self) -> Result<Response, Problem> {
        let about = About {
            call_id: self.call(),
            ..About::default()
        };
        match self.ask(&about).await? {
            Ok(asked) => Ok(self.hold(asked, about.call_id, ruling::permission)),
            // Nothing is said, so that the agent asks for itself.
            Err(refused) => {
                tracing::warn!(agent = %self.key.agent, session = %self.key.session, %refused, "a permission request was not taken in");
                self.publish(Vec::new(), self.hook.event(&About::default())).await?;
                Ok(self.say(None))
            }
        }
    }

    /// The one call that a `PermissionRequest` can be about.
    fn call(&self) -> Option<String> {
        self.hooks().calls().alike(&self.key, self.digest.as_ref()?).1
    }

    fn request_id(&self) -> Arc<str> {
        format!("hook-{}", self.stamp.request).into()
    }

    async fn ask(&self, about: &About) -> Result<Result<Asked, AskError>, Problem> {
        let mut ask = self.hook.ask(self.request_id(), about);
        ask.stream.clone_from(&self.stream);
        ask.timeout = self.app.settings.approval_timeout;
        match self.hub().ask(ask).await {
            Err(error @ AskError::Archive(_)) => Err(error.into()),
            // The same id for another call: not a question that can be answered here, nor one to tell twice.
            Err(error @ AskError::Refused(countersign_hub::Refusal::Conflict(_))) => Err(error.into()),
            asked => Ok(asked),
        }
    }

    /// Holds the connection until somebody has decided about `call`, where that is known.
    fn hold(self, asked: Asked, call: Option<String>, answer: fn(&Approval) -> Option<Answer>) -> Response {
        let (hooks, closing) = (self.hooks().clone(), self.app.settings.closing.clone());
        if let Some(call) = call {
            hooks.asks(asked.waiter.id(), call);
        }
        let reply = move |approval: Approval| -> BoxFuture<'static, Option<String>> {
            Box::pin(async move {
                let answer = answer(&approval);
                self.end_denied(&approval, answer.as_ref()).await;
                self.hook.agent.encode(&answer?)
            })
        };
        waiting::hold(asked.waiter, hooks, closing, reply)
    }

    /// A call that may not run has an end of its own, of which the agent says nothing; nor does it of others that a stop ends.
    async fn end_denied(&self, approval: &Approval, answer: Option<&Answer>) {
        let (told, stop) = match answer {
            Some(Answer::Refuse { message, stop }) => (message, *stop),
            Some(Answer::Deny { reason, stop }) => (reason, *stop),
            _ => return,
        };
        let call = self.hooks().asked(&approval.id);
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

    /// A call is over, or all of one answer of the model are. Of a stopped session nothing more runs.
    async fn after_tool(&self) -> Result<Response, Problem> {
        let mut before = Vec::new();
        let mut about = About::default();
        match &self.hook.call_id {
            Some(id) if self.hook.phase == Phase::AfterTool => {
                let started = self.hooks().calls().end(&self.key, id);
                about.started = started.is_some_and(|start| Some(&start.digest) == self.digest.as_ref());
            }
            _ => {}
        }
        for (id, _, told) in self.hook.batch() {
            let left = self.hooks().calls().end(&self.key, &id);
            before.extend(left.map(|call| self.no_end(&self.key.session, &call, told)));
        }
        self.publish(before, self.hook.event(&about)).await?;
        if self.hook.phase == Phase::AfterBatch {
            self.take_back(ELSEWHERE, |approval| approval.session == self.key.session);
        }
        self.settle_elsewhere();
        let stop = self.hub().stop_over(&self.key, Origin::Hook);
        let answer = stop.map(|stop| Answer::Halt {
            reason: ruling::stopped(&stop),
        });
        Ok(self.say(answer.as_ref()))
    }

    /// A call that has run was permitted: a question about it that still waits was answered in the terminal. Where several could be
    /// meant none is taken back.
    fn settle_elsewhere(&self) {
        let (Some(id), Some(digest)) = (&self.hook.call_id, &self.digest) else {
            return;
        };
        if self.hub().waiting_count() == 0 {
            return;
        }
        let mut waiting = self.waiting(|approval| approval.session == self.key.session);
        // An answer in the terminal may change what runs: a question comes back with what was chosen.
        let own = waiting
            .iter()
            .position(|approval| self.hooks().asked(&approval.id).as_ref() == Some(id));
        let own = match own {
            Some(place) => waiting.swap_remove(place),
            None => {
                waiting
                    .retain(|approval| self.hook.digest_at(approval.cwd.as_deref()).as_ref() == Some(&approval.digest));
                if waiting.len() != 1 || self.hooks().calls().alike(&self.key, digest).0 != 0 {
                    return;
                }
                waiting.remove(0)
            }
        };
        self.hub().cancel(&own.id, ELSEWHERE);
    }

    fn waiting(&self, which: impl Fn(&Approval) -> bool) -> Vec<Approval> {
        let mut waiting = self.hub().waiting();
        waiting
            .retain(|approval| approval.origin == Origin::Hook && approval.agent == self.key.agent && which(approval));
        waiting
    }

    fn take_back(&self, why: &str, which: impl Fn(&Approval) -> bool) {
        if self.hub().waiting_count() == 0 {
            return;
        }
        for approval in self.waiting(which) {
            self.hub().cancel(&approval.id, why);
        }
    }

    /// Something that could not be delivered when it happened: told, and nothing else.
    async fn late(&self) -> Result<Response, Problem> {
        let asked_then = self.hook.phase == Phase::Permission && self.hub().find(&self.request_id()).await.is_ok();
        if asked_then {
            return Ok(self.say(None));
        }
        let mut about = About {
            late: self.stamp.late.clone(),
            ..About::default()
        };
        match (self.hook.phase, &self.hook.call_id) {
            (Phase::BeforeTool, _) => self.begin(),
            (Phase::AfterTool, Some(id)) => {
                let started = self.hooks().calls().end(&self.key, id);
                about.started = started.is_some_and(|start| Some(&start.digest) == self.digest.as_ref());
            }
            _ => {}
        }
        self.publish(Vec::new(), self.hook.event(&about)).await?;
        Ok(self.say(None))
    }
}

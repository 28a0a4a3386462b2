//! The way of one hook: read, told to the log, answered.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use countersign_agents::hook::{About, Agent, Answer, Hook, HookError, Phase};
use countersign_dialects::limits::MAX_RESULT_KEPT;
use countersign_dialects::shrink;
use countersign_hub::Hub;
use countersign_model::{Millis, NewEvent, Origin, Seq, SessionKey};
use serde_json::value::RawValue;

use super::elsewhere::ELSEWHERE;
use super::journal::Record;
use super::stamp::Stamp;
use super::{Hooks, ruling};
use crate::app::App;
use crate::auth::Access;
use crate::problem::Problem;
use crate::rest::{Text, reply};

const TURN_OVER: &str = "the agent's turn ended without an answer";
/// Why a no did nothing.
const RAN: &str = "answered in the terminal before: the call ran";
/// Why a question is taken back whose hook came to an end without a hub.
const GAVE_UP: &str = "no hub was there for too long: the agent went on in its own way";
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
pub(super) struct Visit {
    pub(super) app: App,
    /// As it came.
    body: String,
    pub(super) hook: Hook,
    pub(super) stamp: Stamp,
    pub(super) stream: Option<Arc<str>>,
    pub(super) key: SessionKey,
    /// The call, as [`Hook::call_digest`] names it.
    pub(super) digest: Option<String>,
}

impl Visit {
    pub(super) fn hub(&self) -> &Arc<Hub> {
        &self.app.door.hub
    }

    pub(super) fn hooks(&self) -> &Hooks {
        &self.app.hooks
    }

    /// The reply, once nobody is waited for.
    pub(super) fn say(&self, answer: Option<&Answer>) -> Response {
        match answer.and_then(|answer| self.hook.agent.encode(answer)) {
            Some(text) => reply(StatusCode::OK, "application/json", text),
            None => StatusCode::OK.into_response(),
        }
    }

    /// Whether the sender has told this before.
    pub(super) fn is_known(&self) -> bool {
        self.stamp.mark.is_some_and(|mark| self.hub().seen(mark).is_some())
    }

    /// Puts the hook's event into the log, once however often it is sent, and waits until it outlives the hub. `before` go ahead of it.
    pub(super) async fn publish(&self, mut before: Vec<NewEvent>, event: NewEvent) -> Result<(), Problem> {
        let hub = self.hub();
        let mut event = self.hooks().about_call(self.own(event), self.hook.call_id.as_deref());
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

    pub(super) fn own(&self, mut event: NewEvent) -> NewEvent {
        event.stream.clone_from(&self.stream);
        event
    }

    /// Something that only tells.
    async fn tells(&self) -> Result<Response, Problem> {
        let mut about = About::default();
        if let (Phase::TurnOver, Some(turn)) = (self.hook.phase, &self.hook.turn) {
            about.turn_told = self.hooks().calls().turn_told(&self.key, turn);
        }
        self.publish(self.left_over(), self.hook.event(&about)).await?;
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

    /// The ends of calls that have none of their own: this hook says that they are over.
    fn left_over(&self) -> Vec<NewEvent> {
        let session = &self.key.session;
        let mut ends = Vec::new();
        match self.hook.phase {
            Phase::AfterBatch => {
                for (id, _, told) in self.hook.batch() {
                    let left = self.hooks().calls().end(&self.key, &id);
                    ends.extend(left.map(|call| self.no_end(session, &call, told)));
                }
            }
            // A turn that was broken off in the terminal tells no end; the next one begins without its calls.
            Phase::TurnOver | Phase::Prompt => {
                let left = self.hooks().calls().over(&self.key);
                ends.extend(left.iter().map(|call| self.no_end(session, call, None)));
            }
            Phase::SessionOver => {
                let left = self.hooks().calls().gone(&self.key);
                ends.extend(left.iter().map(|(session, call)| self.no_end(session, call, None)));
            }
            _ => {}
        }
        ends
    }

    /// A person's words; to a stopped session they do not go.
    async fn prompt(&self) -> Result<Response, Problem> {
        let stop = self.hub().stop_over(&self.key, Origin::Hook);
        let blocked = stop.as_ref().map(ruling::blocked);
        let about = About {
            blocked: blocked.clone(),
            ..About::default()
        };
        self.publish(self.left_over(), self.hook.event(&about)).await?;
        let answer = blocked.map(|reason| Answer::Block { reason });
        Ok(self.say(answer.as_ref()))
    }

    /// A call is over, or all of one answer of the model are. Of a stopped session nothing more runs.
    async fn after_tool(&self) -> Result<Response, Problem> {
        let mut about = About::default();
        match &self.hook.call_id {
            Some(id) if self.hook.phase == Phase::AfterTool => {
                let started = self.hooks().calls().end(&self.key, id);
                if let Some(refused) = started.as_ref().and_then(|call| call.refused.as_ref()) {
                    self.hub().came_late(&refused.approval, RAN);
                }
                about.started = started.is_some_and(|start| Some(&start.digest) == self.digest.as_ref());
            }
            _ => {}
        }
        self.publish(self.left_over(), self.hook.event(&about)).await?;
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

    /// Something that could not be delivered when it happened: told, and nothing else.
    async fn late(&self) -> Result<Response, Problem> {
        let asks = matches!(self.hook.phase, Phase::Permission | Phase::BeforeTool);
        if asks && let Ok(asked) = self.hub().find(&self.request_id()).await {
            // Its hook has given up waiting.
            self.hub().cancel(&asked.id, GAVE_UP);
            if self.hook.phase == Phase::Permission {
                return Ok(self.say(None));
            }
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
        // What was told at the time has ended its calls then.
        let before = if self.is_known() { Vec::new() } else { self.left_over() };
        self.publish(before, self.hook.event(&about)).await?;
        Ok(self.say(None))
    }
}

//! A call that is about to run: what the policy or a stop says of it, and the end that the agent does not tell.

use std::sync::Arc;

use axum::response::Response;
use countersign_agents::gate::{self, Decision};
use countersign_agents::hook::{About, Answer};
use countersign_agents::quirks;
use countersign_model::{Extra, NewEvent, Origin, Surface, kind, to_json};
use serde_json::{Value, json};

use super::calls::Call;
use super::door::Visit;
use super::ruling;
use crate::problem::Problem;

/// Characters of what an agent was told in place of a result.
const MOST_TOLD: usize = 16 * 1024;

impl Visit {
    /// A call is about to run: not in a stopped session, and else as the policy says.
    pub(super) async fn before_tool(self) -> Result<Response, Problem> {
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
    pub(super) async fn deny(&self, start: NewEvent, reason: String, stop: bool) -> Result<Response, Problem> {
        let end = self.hook.call_id.clone().map(|id| {
            let call = Call {
                id,
                tool: self.hook.tool.clone().unwrap_or_default(),
                digest: String::new(),
                refused: None,
                approved: None,
            };
            self.no_end(&self.key.session, &call, Some(reason.clone()))
        });
        match end {
            Some(end) => {
                let start = self.hooks().about_call(start, self.hook.call_id.as_deref());
                self.publish(vec![start], end).await?;
            }
            None => self.publish(Vec::new(), start).await?,
        }
        Ok(self.say(Some(&Answer::Deny { reason, stop })))
    }

    /// A call has begun.
    pub(super) fn begin(&self) {
        if let (Some(id), Some(digest)) = (&self.hook.call_id, &self.digest) {
            let call = Call {
                id: id.clone(),
                tool: self.hook.tool.clone().unwrap_or_default(),
                digest: digest.clone(),
                refused: None,
                approved: None,
            };
            self.hooks().calls().begin(&self.key, call);
        }
    }

    /// The end of a call that the agent tells no end of: it was denied, or broken off.
    pub(super) fn no_end(&self, session: &Arc<str>, call: &Call, told: Option<String>) -> NewEvent {
        const UNTOLD: &str = "the agent told no end of this call";
        let refused = call.refused.as_ref().map(|refused| refused.words.clone());
        let told = told.map(|told| told.chars().take(MOST_TOLD).collect());
        let mut data = json!({
            "tool_name": call.tool,
            "call_id": call.id,
            "hook_event_name": self.hook.name,
        });
        match refused.or(told) {
            // Not to know is not to fail.
            None if !quirks::tells_every_end(self.hook.agent) => {
                data["success"] = Value::Null;
                data["note"] = UNTOLD.into();
            }
            error => {
                data["success"] = false.into();
                data["error"] = error.unwrap_or_else(|| UNTOLD.to_owned()).into();
            }
        }
        if let Some(at) = &self.stamp.late {
            data["late"] = true.into();
            data["happened_at"] = at.as_str().into();
        }
        let end = NewEvent {
            origin: Origin::Hook,
            agent: self.key.agent.clone(),
            session: Some(session.clone()),
            stream: None,
            kind: kind::TOOL_CALL_END.into(),
            timestamp: self.stamp.late.as_ref().map(to_json),
            data: to_json(&data),
            extra: Extra::default(),
        };
        self.hooks().about_call(end, Some(&call.id))
    }
}

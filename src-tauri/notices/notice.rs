//! What a person is told of an event: which kinds, and in which words. Each names agent, session and task. Pure.

use std::sync::Arc;

use countersign_model::{Event, Fact, Origin, kind};
use serde::Deserialize;

use crate::dialogs::{gist, question};
use countersign_model::visible;

/// Characters of a name.
const NAME: usize = 60;
/// Characters of a sentence of the agent's.
const WORDS: usize = 160;

/// A notification's words, in plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) title: String,
    pub(super) body: String,
    /// The request it is about: (agent, request id).
    pub(super) request: Option<(Arc<str>, String)>,
}

/// Fields of several kinds. Inner shapes are never judged: what does not fit says nothing.
#[derive(Default)]
struct Said(serde_json::Map<String, serde_json::Value>);

impl Said {
    fn of(event: &Event) -> Self {
        Self(serde_json::from_str(event.data.get()).unwrap_or_default())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.trim().is_empty())
    }

    fn name(&self, name: &str) -> Option<String> {
        Some(visible::short(self.text(name)?, NAME))
    }

    fn detail(&self) -> Option<&str> {
        let details = self.0.get("details")?.as_object()?;
        ["reason", "message"]
            .iter()
            .find_map(|name| details.get(*name)?.as_str())
    }
}

#[derive(Deserialize)]
struct Arguments<'a> {
    #[serde(borrow)]
    arguments: Option<&'a serde_json::value::RawValue>,
}

impl Notice {
    /// What to say of an event; most say nothing.
    pub(super) fn of(event: &Event) -> Option<Self> {
        if is_routine(event) {
            return None;
        }
        let agent = visible::short(&event.agent, NAME);
        let (title, words, request) = match &*event.kind {
            kind::APPROVAL_REQUEST => {
                let said = Said::of(event);
                let tool = said.name("tool_name").unwrap_or_else(|| "a tool".into());
                let request = said.text("request_id")?.to_owned();
                let call = serde_json::from_str::<Arguments<'_>>(event.data.get()).ok();
                let call = call
                    .and_then(|call| call.arguments.map(gist))
                    .filter(|call| call != "{}");
                let title = match said.text("tool_name") {
                    Some(question::QUESTIONS) => format!("{agent} asks you"),
                    Some(question::PLAN) => format!("{agent} has a plan"),
                    _ => format!("{agent} asks to run {tool}"),
                };
                (title, call, Some((event.agent.clone(), request)))
            }
            kind::TOOL_CALL_END => {
                let said = Said::of(event);
                if said.0.get("success") != Some(&serde_json::Value::Bool(false)) {
                    return None;
                }
                let tool = said.name("tool_name").unwrap_or_else(|| "a tool".into());
                let error = said.text("error").map(|error| visible::short(error, WORDS));
                (format!("{agent}: {tool} failed"), error, None)
            }
            kind::SYSTEM2_INTERVENTION => {
                let said = Said::of(event);
                let what = said.name("action").or_else(|| said.name("intervention_type"));
                let title = format!("{agent}: system 2 stepped in");
                (title, sentence(what, said.detail()), None)
            }
            kind::SYSTEM3_INTERVENTION => {
                let said = Said::of(event);
                let title = format!("{agent}: system 3 stepped in");
                (title, sentence(said.name("action"), said.detail()), None)
            }
            kind::SESSION_STOPPED => {
                let said = Said::of(event);
                let message = said.text("message").map(|message| visible::short(message, WORDS));
                (format!("{agent} was stopped"), message, None)
            }
            _ => {
                let (title, words) = told(event, &agent)?;
                (title, words, None)
            }
        };
        let body: Vec<_> = place(event).into_iter().chain(words).collect();
        Some(Self {
            title,
            body: body.join("\n"),
            request,
        })
    }
}

/// Which session, as a person knows it: with the project's folder and the subagent's kind, where hooks say them.
fn place(event: &Event) -> Option<String> {
    let session = event.session.as_deref()?;
    let said = if event.origin == Origin::Hook {
        Said::of(event)
    } else {
        Said::default()
    };
    let subagent = said
        .text("parent_session")
        .filter(|parent| session.starts_with(&format!("{parent}/")));
    let id = subagent.unwrap_or(session);
    // Of a UUID the beginning tells enough.
    let uuid = id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let mut line = format!("session {}", visible::short(if uuid { &id[..8] } else { id }, NAME));
    if let Some(folder) = said
        .text("cwd")
        .and_then(|cwd| cwd.rsplit(['/', '\\']).find(|part| !part.is_empty()))
    {
        line.push_str(&format!(" in {}", visible::short(folder, NAME)));
    }
    if subagent.is_some() {
        let kind = said.name("agent_type").unwrap_or_else(|| "subagent".into());
        line.push_str(&format!(", subagent {kind}"));
    }
    Some(line)
}

/// What an agent with hooks deals with itself: a command that failed, a helper that is done, a session that its own person ended.
/// Nor does it tell again that it waits for an answer, which its question has said, or what came late.
fn is_routine(event: &Event) -> bool {
    event.origin == Origin::Hook
        && match &*event.kind {
            kind::TOOL_CALL_END | kind::SESSION_ENDED | kind::SUBAGENT_STOPPED => true,
            kind::NOTIFICATION if Said::of(event).text("notification_type") == Some("permission_prompt") => true,
            _ => Said::of(event).0.get("late") == Some(&serde_json::Value::Bool(true)),
        }
}

/// Runs and what agents tell people, whatever the dialect.
fn told(event: &Event, agent: &str) -> Option<(String, Option<String>)> {
    let short = |words: &str| visible::short(words, WORDS);
    if &*event.kind == kind::TURN_COMPLETED {
        let last = Said::of(event).text("content").map(short);
        return Some((format!("{agent} is done"), last));
    }
    Some(match Fact::of(event)? {
        Fact::RunFailed { error } => (format!("{agent}: the run failed"), error.as_deref().map(short)),
        Fact::RunCompleted => {
            let said = Said::of(event);
            let came_to = ["summary", "output", "result"]
                .iter()
                .find_map(|name| said.text(name))
                .map(short);
            (format!("{agent}: the run is completed"), came_to)
        }
        Fact::RunPaused { reason, person: true } => (format!("{agent} waits for you"), reason.as_deref().map(short)),
        Fact::Violation { what } => (format!("{agent}: a constraint was violated"), Some(short(&what))),
        Fact::Notification { level, message, user } => {
            let level = visible::short(&level, NAME);
            let title = match user {
                Some(user) => format!("{agent}: {level} for {}", visible::short(&user, NAME)),
                None if event.origin == Origin::Hook && level == "info" => format!("{agent} says"),
                None => format!("{agent}: {level}"),
            };
            (title, Some(short(&message)))
        }
        _ => return None,
    })
}

fn sentence(what: Option<String>, detail: Option<&str>) -> Option<String> {
    let detail = detail.map(|detail| visible::short(detail, WORDS));
    match (what, detail) {
        (Some(what), Some(detail)) => Some(format!("{what}: {detail}")),
        (what, detail) => what.or(detail),
    }
}

/// The body as the system wants it: on Linux it is markup.
pub(super) fn body_of(text: &str) -> String {
    if cfg!(target_os = "linux") {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::{Epoch, Millis};

    use super::*;
    use crate::testing::json;

    fn notice(kind: &str, data: &str) -> Option<(String, String)> {
        told_by(Origin::Sam, kind, data)
    }

    fn told_by(origin: Origin, kind: &str, data: &str) -> Option<(String, String)> {
        Notice::of(&event(origin, kind, data)).map(|notice| (notice.title, notice.body))
    }

    fn event(origin: Origin, kind: &str, data: &str) -> Event {
        Event {
            seq: 1,
            epoch: Epoch::new("e"),
            time: Millis(0),
            origin,
            agent: "sam".into(),
            session: Some("s1".into()),
            stream: None,
            kind: kind.into(),
            timestamp: None,
            data: json(data),
            extra: countersign_model::Extra::default(),
            via: Vec::new(),
        }
    }

    fn check(kind: &str, data: &str, title: &str, body: &str) {
        assert_eq!(notice(kind, data), Some((title.into(), body.into())));
    }

    #[test]
    fn a_session_of_hooks_is_named_by_its_folder_and_its_subagent_by_its_kind() {
        let told = |session: &str, data: &str| {
            let mut event = event(Origin::Hook, "approval_request", data);
            event.session = Some(session.into());
            Notice::of(&event).map(|notice| notice.body)
        };
        let id = "f2975755-ce3b-4bc7-a435-281f00052007";
        let asks = r#"{"request_id":"r","tool_name":"Bash","arguments":{"command":"ls"},"cwd":"/srv/shop/""#;
        assert_eq!(
            told(id, &format!("{asks}}}")).as_deref(),
            Some("session f2975755 in shop\nls")
        );
        let subagent = format!(r#"{asks},"parent_session":"{id}","agent_type":"Explore"}}"#);
        assert_eq!(
            told(&format!("{id}/a09e"), &subagent).as_deref(),
            Some("session f2975755 in shop, subagent Explore\nls")
        );
    }

    #[test]
    fn an_agents_own_question_is_told_in_its_words() {
        let asks = r#"{"request_id":"r","tool_name":"AskUserQuestion","arguments":{"questions":[{"question":"Which?","options":[{"label":"A"}]}]}}"#;
        check("approval_request", asks, "sam asks you", "session s1\nWhich?");
    }

    #[test]
    fn of_a_hooks_session_the_end_of_a_turn_is_told_and_nothing_twice_or_late() {
        let told = |kind: &str, data: &str| told_by(Origin::Hook, kind, data).map(|(title, _)| title);
        let done = r#"{"content":"The index was missing.","hook_event_name":"Stop"}"#;
        assert_eq!(told("turn_completed", done).as_deref(), Some("sam is done"));
        assert_eq!(told("subagent_stopped", "{}"), None);
        assert_eq!(told("session_ended", "{}"), None);
        let waits = r#"{"message":"Claude needs your permission","notification_type":"permission_prompt"}"#;
        assert_eq!(told("notification", waits), None);
        assert_eq!(
            told("notification", r#"{"message":"m","level":"info","late":true}"#),
            None
        );
        assert_eq!(
            told("notification", r#"{"message":"m","level":"info"}"#).as_deref(),
            Some("sam says")
        );
        let asks = |tool: &str| format!(r#"{{"request_id":"r","tool_name":"{tool}","arguments":{{}}}}"#);
        assert_eq!(
            told("approval_request", &asks("AskUserQuestion")).as_deref(),
            Some("sam asks you")
        );
        assert_eq!(
            told("approval_request", &asks("ExitPlanMode")).as_deref(),
            Some("sam has a plan")
        );
    }

    #[test]
    fn an_approval_names_agent_session_tool_and_call() {
        let data = r#"{"request_id":"r1","tool_name":"execute_code","arguments":{"code":"print('a')\nprint('b')"}}"#;
        check(
            "approval_request",
            data,
            "sam asks to run execute_code",
            "session s1\nprint('a') print('b')",
        );
    }

    #[test]
    fn a_failure_says_what_failed_and_a_success_says_nothing() {
        let data = r#"{"tool_name":"bash","success":false,"error":"exit 2\nno such file"}"#;
        check(
            "tool_call_end",
            data,
            "sam: bash failed",
            "session s1\nexit 2 no such file",
        );
        assert_eq!(notice("tool_call_end", r#"{"tool_name":"bash","success":true}"#), None);
        assert_eq!(notice("tool_call_end", r#"{"success":"false"}"#), None);
    }

    #[test]
    fn what_an_agent_with_hooks_deals_with_itself_is_not_told() {
        let failed = r#"{"tool_name":"Bash","success":false,"error":"Exit code 1"}"#;
        for (kind, data) in [
            ("tool_call_end", failed),
            ("subagent_stopped", "{}"),
            ("session_ended", "{}"),
            (
                "notification",
                r#"{"message":"Claude needs your permission","notification_type":"permission_prompt"}"#,
            ),
        ] {
            assert_eq!(told_by(Origin::Hook, kind, data), None, "{kind}");
        }
        let idle = r#"{"message":"Claude is waiting for your input","notification_type":"idle_prompt"}"#;
        assert!(told_by(Origin::Hook, "notification", idle).is_some());
        let failed = told_by(
            Origin::Hook,
            "turn_failed",
            r#"{"error":"unknown","content":"API Error: 529"}"#,
        );
        assert_eq!(failed.expect("told").1, "session s1\nAPI Error: 529");
    }

    #[test]
    fn interventions_and_stops_are_told() {
        let data = r#"{"action":"block_execution","details":{"reason":"Protected file access attempt"}}"#;
        let body = "session s1\nblock_execution: Protected file access attempt";
        check("system3_intervention", data, "sam: system 3 stepped in", body);
        let data = r#"{"intervention_type":"loop","details":7}"#;
        check(
            "system2_intervention",
            data,
            "sam: system 2 stepped in",
            "session s1\nloop",
        );
        check("session_stopped", r#"{"by":"window"}"#, "sam was stopped", "session s1");
        assert_eq!(notice("agent_status", r#"{"status":"idle"}"#), None);
    }

    #[test]
    fn runs_and_words_to_people_are_told() {
        check(
            "execution_failed",
            r#"{"error":{"message":"no price"}}"#,
            "sam: the run failed",
            "session s1\n{\"message\":\"no price\"}",
        );
        check(
            "execution_completed",
            r#"{"output":"42 rows\nwritten"}"#,
            "sam: the run is completed",
            "session s1\n42 rows written",
        );
        check("execution_completed", "{}", "sam: the run is completed", "session s1");
        check(
            "constraint_violation",
            r#"{"constraint":"discount <= 0.2"}"#,
            "sam: a constraint was violated",
            "session s1\ndiscount <= 0.2",
        );
        check(
            "execution_paused",
            r#"{"reason":"HITL: sign"}"#,
            "sam waits for you",
            "session s1\nHITL: sign",
        );
        check(
            "notification",
            r#"{"level":"warning","message":"not saved"}"#,
            "sam: warning",
            "session s1\nnot saved",
        );
        check(
            "notification",
            r#"{"message":"hello","userId":"ada"}"#,
            "sam: info for ada",
            "session s1\nhello",
        );
        for (kind, data) in [
            ("execution_paused", r#"{"reason":"rate limit"}"#),
            ("execution_started", "{}"),
            ("goal_progress", r#"{"progress":0.5}"#),
            ("chat_message", r#"{"sender":"ada","content":"hi"}"#),
            ("notification", r#"{"level":"info"}"#),
        ] {
            assert_eq!(notice(kind, data), None, "{kind}");
        }
    }

    #[test]
    fn odd_shapes_say_what_they_can() {
        check(
            "tool_call_end",
            r#"{"tool_name":7,"success":false,"error":{}}"#,
            "sam: a tool failed",
            "session s1",
        );
        assert_eq!(notice("approval_request", r#"{"tool_name":"bash"}"#), None);
    }

    #[test]
    fn an_agents_text_is_neither_markup_nor_invisible() {
        let (_, body) = notice("tool_call_end", "{\"success\":false,\"error\":\"<b>&\\u202e</b>\"}").unwrap();
        assert_eq!(body, "session s1\n<b>&⟨U+202E⟩</b>");
        #[cfg(target_os = "linux")]
        assert_eq!(body_of(&body), "session s1\n&lt;b&gt;&amp;⟨U+202E⟩&lt;/b&gt;");
    }
}

//! `countersign answer`: answers what an agent waits for, or lists what waits.
//! With the key of a headless hub it answers by itself; while the desktop app runs, the person there has to allow it.

use std::time::Duration;

use clap::{Args, ValueEnum};
use countersign_hub::{Clock, SystemClock};
use countersign_model::{Approval, HubStatus, Scope, Status, Verdict};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::dashboard::PERSON;
use crate::failure::{Exit, Failure};
use crate::hub::{Body, Client, HubError, Place, Problem};
use crate::output::{Out, say};
use crate::show::{Paint, Tone, age, gist, one_line};

const HELP: &str = "\
Without an ID it lists what waits, oldest first.

Who may answer: `countersign serve` writes a key into its data folder, which this command reads; --token or COUNTERSIGN_TOKEN gives
another. While the desktop app runs there is no such key: the app asks the person at it, who allows this one answer or not.

Examples:
  countersign answer
  countersign answer apr-1c9e approve
  countersign answer apr-1c9e deny --message 'not on a Friday'
  countersign answer apr-1c9e stop
  countersign answer apr-1c9e approve --grant 0
  countersign answer apr-1c9e approve --answer 'Which colour?=Blue'

Exit code: 0 when the answer was recorded, 1 when it was not: somebody was first, or it was not allowed.";

/// Answer an approval, or list what waits for an answer
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The approval's id, or the request's own while only one agent uses it
    #[arg(value_name = "ID", requires = "decision")]
    id: Option<String>,
    /// The answer
    #[arg(value_name = "DECISION")]
    decision: Option<Decision>,
    /// List what waits
    #[arg(long, conflicts_with = "id")]
    list: bool,
    /// A word to the agent
    #[arg(long, value_name = "TEXT", requires = "id", allow_hyphen_values = true)]
    message: Option<String>,
    /// Approve with other arguments: a JSON object
    #[arg(long, value_name = "JSON", requires = "id", value_parser = super::parse::object)]
    arguments: Option<Box<RawValue>>,
    /// Answer a question of the agent's own, as QUESTION=ANSWER; a single one needs no QUESTION=
    #[arg(
        long = "answer",
        value_name = "ANSWER",
        requires = "id",
        conflicts_with = "arguments",
        allow_hyphen_values = true
    )]
    answers: Vec<String>,
    /// Approve and have the agent keep what it offers at this place, as the list numbers it
    #[arg(long = "grant", value_name = "N", requires = "id")]
    grants: Vec<u32>,
    /// How far the answer reaches: this request, the same call in this session, the same call always
    #[arg(long, value_name = "SCOPE", requires = "id", default_value = "once")]
    scope: Reach,
    /// With the list: as JSON, one approval a line. With an answer: print the approval
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Decision {
    Approve,
    Deny,
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Reach {
    Once,
    Session,
    Always,
}

impl From<Decision> for Verdict {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Approve => Self::Approve,
            Decision::Deny => Self::Deny,
            Decision::Stop => Self::Stop,
        }
    }
}

impl From<Reach> for Scope {
    fn from(reach: Reach) -> Self {
        match reach {
            Reach::Once => Self::Once,
            Reach::Session => Self::Session,
            Reach::Always => Self::Always,
        }
    }
}

#[derive(Deserialize)]
struct List {
    approvals: Vec<Approval>,
}

#[derive(Deserialize)]
struct Grant {
    token: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: &Place) -> Result<Exit, Failure> {
    match (&arguments.id, arguments.decision) {
        (Some(id), Some(decision)) => answer(arguments, id, decision.into(), place),
        _ => list(arguments, place),
    }
}

fn answer(arguments: &Arguments, id: &str, verdict: Verdict, place: &Place) -> Result<Exit, Failure> {
    let client = Client::find(place)?;
    let token = (place.token.clone()).or_else(|| place.approver_token(&client.found.url));
    let scope = Scope::from(arguments.scope);
    let mut body = json!({ "decision": verdict, "scope": scope });
    if let Some(message) = &arguments.message {
        body["message"] = json!(message);
    }
    let plain = arguments.arguments.is_none() && arguments.answers.is_empty() && arguments.grants.is_empty();
    let held = token.is_some();
    let client = client.with_token(token);
    if let Some(given) = &arguments.arguments {
        body["arguments"] = serde_json::from_str(given.get()).map_err(|error| Failure::Other(error.to_string()))?;
    } else if !arguments.answers.is_empty() {
        let asked: Approval = client.get(&Client::path("/api/approvals", id, ""), &[])?;
        body["arguments"] = json!({ "answers": answers(&asked, &arguments.answers)? });
    }
    if !arguments.grants.is_empty() {
        body["grants"] = json!(arguments.grants);
    }
    // Without a key this works where the config opens answering to all.
    let answered = match decide(&client, id, &body) {
        Err(HubError::Refused(problem)) if matches!(problem.status, 401 | 403) && !held => {
            let client = allowed(client, id, verdict, scope, plain)?;
            decide(&client, id, &body)
        }
        answered => answered,
    };
    let mut out = Out::open();
    let exit = match answered {
        Ok((approval, text)) => {
            let exit = settled(&approval, verdict);
            out.line(if arguments.json {
                text.trim_end()
            } else {
                approval.status.as_str()
            })?;
            exit
        }
        Err(HubError::Refused(problem)) if problem.status == 409 => {
            say(&format!("countersign: {}", first(&problem)));
            Exit::Failed
        }
        Err(error) => return Err(error.into()),
    };
    out.flush()?;
    Ok(exit)
}

/// An approval that the hub had to turn into a no is not what was asked for.
fn settled(approval: &Approval, verdict: Verdict) -> Exit {
    if approval.status == verdict.status() {
        return Exit::Ok;
    }
    let why = approval
        .decision
        .as_ref()
        .and_then(|decision| decision.message.as_deref());
    say(&format!(
        "countersign: recorded as {}{}",
        approval.status.as_str(),
        why.map_or(String::new(), |why| format!(": {}", one_line(why, 200)))
    ));
    Exit::Failed
}

/// The approval as it is recorded now, read and as text.
fn decide(client: &Client, id: &str, body: &Value) -> Result<(Approval, String), HubError> {
    let path = Client::path("/api/approvals", id, "/decision");
    let text = client.post_text(&path, &[], Body::Json(&body.to_string()), Duration::ZERO)?;
    Ok((client.read(&text)?, text))
}

/// Has the person at the desktop allow this one answer.
fn allowed(client: Client, id: &str, verdict: Verdict, scope: Scope, plain: bool) -> Result<Client, Failure> {
    if !plain {
        return Err(Failure::Other(
            "the app allows a plain answer only: answer questions, and change or keep things, in the window".to_owned(),
        ));
    }
    if scope != Scope::Once {
        return Err(Failure::Other(
            "an answer that the app has to allow reaches this request only: leave out --scope, or answer in the window"
                .to_owned(),
        ));
    }
    say("asking the person at the Countersign app: allow it in the dialog there");
    let wish = json!({ "for": "answer", "approval": id, "decision": verdict });
    let grant: Grant = client.post("/api/grants", &wish, PERSON)?;
    Ok(client.with_token(Some(grant.token)))
}

/// What the agent asks of a person, each with what there is to choose from.
fn questions(approval: &Approval) -> Vec<(String, Vec<String>)> {
    let arguments: Value = serde_json::from_str(approval.arguments.get()).unwrap_or_default();
    let list = arguments["questions"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    list.iter()
        .filter_map(|question| {
            let options = question["options"].as_array().into_iter().flatten();
            let labels = options.filter_map(|option| text(&option["label"])).collect();
            Some((text(&question["question"])?, labels))
        })
        .collect()
}

/// The answers under their questions.
fn answers(approval: &Approval, given: &[String]) -> Result<Map<String, Value>, Failure> {
    let questions = questions(approval);
    let mut answers = Map::new();
    for answer in given {
        let named = questions.iter().find_map(|(question, _)| {
            let rest = answer.strip_prefix(question.as_str())?.strip_prefix('=')?;
            Some((question, rest))
        });
        let (question, words) = match (named, questions.as_slice()) {
            (Some(named), _) => named,
            (None, [(only, _)]) => (only, answer.as_str()),
            (None, _) => {
                let names: Vec<_> = questions.iter().map(|(question, _)| format!("{question:?}")).collect();
                let names = if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                };
                let why =
                    format!("--answer {answer:?}: say which question it is to, as QUESTION=ANSWER; asked are: {names}");
                return Err(Failure::Other(why));
            }
        };
        answers.insert(question.clone(), words.into());
    }
    Ok(answers)
}

/// Who was first.
fn first(problem: &Problem) -> String {
    match serde_json::from_value::<Approval>(problem.document.get("approval").cloned().unwrap_or_default()) {
        Ok(approval) if approval.status != Status::Pending => {
            let by = approval
                .decision
                .as_ref()
                .map_or("nobody", |decision| super::surface(decision.by));
            format!(
                "already {} by {by}; this answer changes nothing",
                approval.status.as_str()
            )
        }
        _ => problem.says.clone(),
    }
}

fn list(arguments: &Arguments, place: &Place) -> Result<Exit, Failure> {
    let client = Client::find(place)?;
    let mut waiting: List = client.get("/api/approvals", &[("status", "pending")])?;
    waiting.approvals.sort_by_key(|approval| approval.seq);
    let mut out = Out::open();
    let paint = out.paint();
    for approval in &waiting.approvals {
        if arguments.json {
            out.line(&serde_json::to_string(approval).map_err(|error| Failure::Other(error.to_string()))?)?;
        } else {
            out.line(&line(approval, SystemClock.now().0, paint))?;
            for more in offers(approval) {
                out.line(&paint.apply(Tone::Dim, &format!("    {more}")))?;
            }
        }
    }
    out.flush()?;
    if waiting.approvals.is_empty() && !arguments.json {
        say("nothing waits for an answer");
        let status: HubStatus = client.get("/api/status", &[])?;
        for problem in status.problems {
            say(&problem.message);
        }
    }
    Ok(Exit::Ok)
}

/// What may go with an approval: the questions with their options, and what the agent would keep.
fn offers(approval: &Approval) -> Vec<String> {
    let asked = questions(approval).into_iter().map(|(question, options)| {
        let choice = options
            .iter()
            .map(|option| one_line(option, 60))
            .collect::<Vec<_>>()
            .join(" | ");
        format!("--answer '{}='  {choice}", one_line(&question, 160))
    });
    let kept = approval.grants.iter().enumerate();
    let kept = kept.map(|(place, grant)| format!("--grant {place}  {}", one_line(&grant.label, 160)));
    asked.chain(kept).collect()
}

/// `apr-1  sam/s1  bash: rm -rf build  12 s`.
fn line(approval: &Approval, now: i64, paint: Paint) -> String {
    let arguments: Value = serde_json::from_str(approval.arguments.get()).unwrap_or_default();
    let said = match gist(&arguments) {
        gist if gist.is_empty() => String::new(),
        gist => format!(": {gist}"),
    };
    format!(
        "{}  {}/{}  {}  {}",
        paint.apply(Tone::NeedsYou, &one_line(&approval.id, 80)),
        one_line(&approval.agent, 60),
        one_line(&approval.session, 60),
        one_line(&format!("{}{said}", approval.tool_name), 160),
        paint.apply(Tone::Dim, &age(now - approval.asked_at.0)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeHub, Reply};
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
        /// Global in the whole command line.
        #[arg(long)]
        token: Option<String>,
    }

    fn run_line(hub: &FakeHub, line: &str) -> Result<Exit, Failure> {
        let words = std::iter::once("answer").chain(line.split_whitespace());
        let line = Line::try_parse_from(words).expect("a line");
        let mut place = hub.place();
        place.token = line.token;
        run(&line.arguments, &place)
    }

    fn approval(status: &str) -> Value {
        json!({
            "id": "apr-1", "request_id": "r1", "agent": "sam", "session": "s1", "origin": "sam", "tool_name": "bash",
            "arguments": {"command": "rm -rf build\n"}, "digest": "00", "edits": false, "seq": 1,
            "asked_at": "2026-01-17T10:30:00.000Z", "status": status, "delivery": "waiting",
            "decision": {"decision": "deny", "scope": "once", "by": "dialog", "at": "2026-01-17T10:30:00.000Z"},
        })
    }

    #[test]
    fn a_key_answers_at_once() {
        let hub = FakeHub::start(|request| {
            assert_eq!(request.path, "/api/approvals/a%2Fb/decision");
            assert_eq!(request.header("authorization"), Some("Bearer sesame"));
            assert_eq!(
                request.json(),
                json!({"decision": "approve", "scope": "always", "message": "ok"})
            );
            Reply::json(200, approval("approved").to_string())
        });
        let exit = run_line(&hub, "a/b approve --token sesame --scope always --message ok").expect("answered");
        assert_eq!(exit, Exit::Ok);
    }

    #[test]
    fn without_a_key_the_person_at_the_desktop_is_asked() {
        let hub = FakeHub::start(|request| match request.path.as_str() {
            "/api/grants" => {
                assert_eq!(
                    request.json(),
                    json!({"for": "answer", "approval": "apr-1", "decision": "deny"})
                );
                Reply::json(200, r#"{"token":"once"}"#)
            }
            _ if request.header("authorization") == Some("Bearer once") => {
                Reply::json(200, approval("denied").to_string())
            }
            _ => Reply::json(401, r#"{"detail":"answering needs the approver's right"}"#),
        });
        assert_eq!(run_line(&hub, "apr-1 deny").expect("answered"), Exit::Ok);
        assert_eq!(hub.seen().len(), 3);
    }

    #[test]
    fn a_refusal_and_an_earlier_answer_are_failures() {
        let hub = FakeHub::start(|request| match request.path.as_str() {
            "/api/grants" => Reply::json(403, r#"{"detail":"it was refused at the desktop"}"#),
            _ => Reply::json(401, "{}"),
        });
        let refused = run_line(&hub, "apr-1 approve").expect_err("refused").to_string();
        assert_eq!(refused, "it was refused at the desktop");

        let hub = FakeHub::start(|_| {
            Reply::json(
                409,
                json!({"detail": "already denied", "approval": approval("denied")}).to_string(),
            )
        });
        assert_eq!(run_line(&hub, "apr-1 approve --token t").expect("told"), Exit::Failed);

        let hub = FakeHub::start(|_| Reply::json(200, approval("denied").to_string()));
        assert_eq!(run_line(&hub, "apr-1 approve --token t").expect("told"), Exit::Failed);
    }

    #[test]
    fn a_wrong_key_is_not_traded_for_a_question_at_the_desktop() {
        let hub = FakeHub::start(|request| {
            assert_ne!(request.path, "/api/grants");
            Reply::json(401, r#"{"detail":"the token is not valid, or no longer"}"#)
        });
        assert!(run_line(&hub, "apr-1 approve --token old").is_err());
    }

    #[test]
    fn what_waits_is_one_line_that_cannot_lie() {
        let mut waiting = approval("pending");
        waiting["agent"] = json!("sa\u{202e}m");
        let waiting: Approval = serde_json::from_value(waiting).expect("an approval");
        let now = waiting.asked_at.0 + 12_000;
        assert_eq!(
            line(&waiting, now, Paint::new(false)),
            "apr-1  sa⟨U+202E⟩m/s1  bash: rm -rf build  12 s"
        );
    }

    #[test]
    fn questions_are_answered_and_what_is_kept_is_named() {
        let hub = FakeHub::start(|request| {
            let mut asked = approval("pending");
            asked["arguments"] = json!({"questions": [
                {"question": "Which colour?", "options": [{"label": "Red"}, {"label": "Blue"}]}, {"question": "Why?"}]});
            if request.path == "/api/approvals/apr-1" {
                return Reply::json(200, asked.to_string());
            }
            assert_eq!(
                request.json(),
                json!({"decision": "approve", "scope": "once", "grants": [1], "arguments": {"answers": {"Which colour?": "Blue=ish", "Why?": "so"}}})
            );
            Reply::json(200, approval("approved").to_string())
        });
        let words = [
            "answer",
            "apr-1",
            "approve",
            "--token",
            "t",
            "--grant",
            "1",
            "--answer",
            "Which colour?=Blue=ish",
        ];
        let run_words = |words: &[&str]| {
            let line = Line::try_parse_from(words).expect("a line");
            let mut place = hub.place();
            place.token = line.token;
            run(&line.arguments, &place)
        };
        let whole = [&words[..], &["--answer", "Why?=so"]].concat();
        assert_eq!(run_words(&whole).expect("answered"), Exit::Ok);
        let unnamed = [&words[..7], &["--answer", "Blue"]].concat();
        let refused = run_words(&unnamed).expect_err("which one?").to_string();
        assert!(refused.contains("\"Which colour?\""), "{refused}");
    }
}

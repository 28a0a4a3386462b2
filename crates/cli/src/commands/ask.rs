//! `countersign ask`: puts one question to a person and waits for the answer, through restarts of the hub.
//! What is not an approval is never exit code 0; the question itself is decided by the hub alone.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use countersign_hub::random_hex;
use countersign_model::{Approval, HubStatus, Status, Verdict};
use serde_json::{Map, Value, json};

use super::parse;
use crate::failure::{Exit, Failure};
use crate::hub::{Backoff, Body, Client, HubError, Place};
use crate::output::{Out, say};
use crate::show::{one_line, visible};

const HELP: &str = "\
Exit codes:
  0   approved: go on
  1   denied: do not do it; go on with something else
  2   stopped: end the run
  3   expired, cancelled, interrupted, or the hub cannot be reached: nobody allowed it
  64  the command line, or the request, makes no sense
Only 0 is a yes. The message that came with the answer is printed on standard output.

Examples:
  countersign ask --tool bash --command 'rm -rf build' && rm -rf build
  countersign ask --tool deploy --arguments '{\"to\":\"production\"}' --agent ci --session \"$RUN_ID\" --timeout 600

  countersign ask --tool bash --command \"$CMD\" --json > answer.json
  case $? in
    0) eval \"$CMD\" ;;
    1) echo 'denied, trying another way' ;;
    *) exit 1 ;;
  esac

What was approved is what was shown: run exactly that. A request with the same --request-id and the same content is the same
request, and gets the same answer.";

/// Ask a person for consent and wait for the answer; the exit code says which
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The tool that would run
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    tool: String,
    /// What it would run with, as JSON
    #[arg(long, value_name = "JSON", value_parser = parse::json, allow_hyphen_values = true, conflicts_with = "command")]
    arguments: Option<Value>,
    /// A shell command that it would run: short for --arguments '{"command": CMD}'
    #[arg(long, value_name = "CMD", allow_hyphen_values = true)]
    command: Option<String>,
    /// Why, in a sentence for the person
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
    /// Who asks [default: shell] [env: COUNTERSIGN_AGENT]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    agent: Option<String>,
    /// In which run; stop ends all of it [env: COUNTERSIGN_SESSION]
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    session: Option<String>,
    /// The request's own id; without it, a new one
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    request_id: Option<String>,
    /// Where it would run; without it, the current folder
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Expire after so many seconds, which means no; without it, wait for as long as it takes
    #[arg(long, value_name = "SECONDS", value_parser = parse::seconds, allow_hyphen_values = true)]
    timeout: Option<Duration>,
    /// First wait until somebody can answer: the app runs, or an approver is connected; at most so many seconds
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, value_parser = parse::seconds)]
    wait_for_approver: Option<Option<Duration>>,
    /// Give up once the hub has been away for so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = parse::seconds)]
    unreachable_after: Duration,
    /// Print the whole approval as JSON
    #[arg(long)]
    json: bool,
    /// Let the person change the arguments: run `decision.arguments` of the printed approval instead, when it is there
    #[arg(long, requires = "json")]
    accept_edits: bool,
}

/// A question on its way, and how patient its asker is.
struct Asker {
    place: Place,
    request_id: String,
    body: Value,
    accept_edits: bool,
    /// Wait for somebody who can answer, and how long.
    approver: Option<Option<Duration>>,
    unreachable_after: Duration,
    /// How long one request may wait at the hub.
    poll: Duration,
    backoff: Backoff,
}

/// How it ended.
#[derive(Debug)]
enum End {
    /// Somebody or something decided; with the hub's own text.
    Decided(Box<Approval>, String),
    /// The hub was away for too long.
    Unreachable(HubError),
    /// Nobody came who could answer.
    NoApprover,
    /// The hub does not take the question.
    Refused(HubError),
    /// A signal.
    Interrupted,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: Place) -> Result<Exit, Failure> {
    let json = arguments.json;
    let asker = Asker::new(arguments, place)?;
    let end = until_signal(move || asker.ask());
    let exit = end.exit();
    // The exit code is the answer, whether or not anybody reads the words.
    let _ = end.tell(json);
    Ok(exit)
}

/// Runs `work` until it ends or a signal comes, without waiting for what it waits for.
fn until_signal(work: impl FnOnce() -> End + Send + 'static) -> End {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return work();
    };
    let end = runtime.block_on(async {
        let work = tokio::task::spawn_blocking(work);
        tokio::select! {
            end = work => end.unwrap_or(End::Interrupted),
            () = super::signal() => End::Interrupted,
        }
    });
    runtime.shutdown_background();
    end
}

impl Asker {
    fn new(arguments: &Arguments, place: Place) -> Result<Self, Failure> {
        let request_id = arguments.request_id.clone().unwrap_or_else(|| random_hex(16));
        let call = match (&arguments.arguments, &arguments.command) {
            (Some(arguments), _) => arguments.clone(),
            (None, Some(command)) => json!({ "command": command }),
            (None, None) => json!({}),
        };
        let mut body = Map::new();
        body.insert("request_id".into(), json!(request_id));
        body.insert("tool_name".into(), json!(arguments.tool));
        body.insert("arguments".into(), call);
        // What runs after exit code 0 is what was asked for, unless the caller looks.
        body.insert("accepts_edits".into(), json!(arguments.accept_edits));
        let cwd = match &arguments.cwd {
            Some(cwd) => std::path::absolute(cwd).map_err(|error| Failure::Usage(format!("--cwd: {error}")))?,
            None => std::env::current_dir().unwrap_or_default(),
        };
        let mut optional = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.into(), value);
            }
        };
        let cwd = cwd.to_string_lossy().into_owned();
        optional("cwd", (!cwd.is_empty()).then(|| json!(cwd)));
        optional("reason", arguments.reason.as_ref().map(|reason| json!(reason)));
        optional("timeout", arguments.timeout.map(|timeout| json!(timeout.as_secs_f64())));
        optional("agent", Some(json!(super::agent(arguments.agent.as_ref()))));
        let session = super::session(arguments.session.as_ref());
        optional("session", session.map(|session| json!(session)));
        Ok(Self {
            place,
            request_id,
            body: Value::Object(body),
            accept_edits: arguments.accept_edits,
            approver: arguments.wait_for_approver,
            unreachable_after: arguments.unreachable_after,
            poll: Duration::from_secs(25),
            backoff: Backoff::new(),
        })
    }

    fn ask(mut self) -> End {
        if let Some(patience) = self.approver
            && let Err(end) = self.wait_for_approver(patience)
        {
            return end;
        }
        let mut asked: Option<String> = None;
        let mut away = Away::new(self.unreachable_after);
        // A short first wait: a rule may answer at once, and otherwise there is something to tell.
        let mut wait = self.poll.min(Duration::from_millis(500));
        let mut told = false;
        loop {
            let begun = Instant::now();
            match self.step(asked.as_deref(), wait) {
                Ok((approval, text)) if approval.status != Status::Pending => return End::Decided(approval, text),
                Ok((approval, _)) => {
                    away.over(&mut self.backoff);
                    if !told {
                        told = true;
                        say(&format!(
                            "waiting for an answer to {}: in the Countersign window, or with `countersign answer {} approve|deny|stop`",
                            one_line(&approval.tool_name, 60),
                            approval.id
                        ));
                    }
                    asked = Some(approval.id.to_string());
                    // A hub that does not wait must not be asked in a circle.
                    if begun.elapsed() < wait / 2 {
                        std::thread::sleep(Duration::from_millis(250).min(wait));
                    }
                    wait = self.poll;
                }
                // The hub that took the question is not the one that answers now: ask it again.
                Err(error) if error.may_pass() || (asked.is_some() && is_not_found(&error)) => {
                    asked = None;
                    if let Err(end) = away.pause(error, &mut self.backoff) {
                        return end;
                    }
                }
                Err(error) => return End::Refused(error),
            }
        }
    }

    /// Asks, or asks for the answer to what was asked.
    fn step(&self, asked: Option<&str>, wait: Duration) -> Result<(Box<Approval>, String), HubError> {
        let client = Client::find(&self.place)?;
        let seconds = wait.as_secs_f64().to_string();
        let pairs = [("wait", seconds.as_str())];
        let text = match asked {
            None => client.post_text("/api/approvals", &pairs, Body::Json(&self.body), wait)?,
            Some(id) => client.get_text(&Client::path("/api/approvals", id, ""), &pairs, wait)?,
        };
        let approval: Box<Approval> = client.read(&text)?;
        let decision = approval.decision.as_ref().map(|decision| decision.decision);
        let approves = decision == Some(Verdict::Approve);
        let edited = approval
            .decision
            .as_ref()
            .is_some_and(|decision| decision.arguments.is_some());
        // Nothing that is not plainly an approval of this request may pass for one.
        if *approval.request_id != *self.request_id
            || approves != (approval.status == Status::Approved)
            || (edited && !self.accept_edits)
        {
            return Err(HubError::Nonsense {
                url: client.found.url.to_string(),
                what: "the approval is not the one that was asked for".to_owned(),
            });
        }
        Ok((approval, text))
    }

    fn wait_for_approver(&mut self, patience: Option<Duration>) -> Result<(), End> {
        let begun = Instant::now();
        let mut away = Away::new(self.unreachable_after);
        let mut told = false;
        loop {
            let status = Client::find(&self.place).and_then(|client| client.get::<HubStatus>("/api/status", &[]));
            match status {
                Ok(status) if status.approvers > 0 => return Ok(()),
                Ok(_) => {
                    away.over(&mut self.backoff);
                    if !told {
                        told = true;
                        say(
                            "waiting for somebody who can answer: open the Countersign app, or `countersign dashboard`",
                        );
                    }
                    std::thread::sleep(Duration::from_millis(300).min(self.poll));
                }
                Err(error) if error.may_pass() => away.pause(error, &mut self.backoff)?,
                Err(error) => return Err(End::Refused(error)),
            }
            if patience.is_some_and(|patience| begun.elapsed() >= patience) {
                return Err(End::NoApprover);
            }
        }
    }
}

fn is_not_found(error: &HubError) -> bool {
    matches!(error, HubError::Refused(problem) if problem.status == 404)
}

/// How long the hub has been away.
struct Away {
    since: Option<Instant>,
    most: Duration,
}

impl Away {
    fn new(most: Duration) -> Self {
        Self { since: None, most }
    }

    fn over(&mut self, backoff: &mut Backoff) {
        if self.since.take().is_some() {
            say("the hub is back");
        }
        backoff.reset();
    }

    /// Sleeps before the next try, or says that there is none.
    fn pause(&mut self, error: HubError, backoff: &mut Backoff) -> Result<(), End> {
        let since = match self.since {
            Some(since) => since,
            None => {
                say(&format!("{error}\nTrying again for {} s.", self.most.as_secs_f64()));
                *self.since.insert(Instant::now())
            }
        };
        let left = self.most.saturating_sub(since.elapsed());
        if left.is_zero() {
            return Err(End::Unreachable(error));
        }
        std::thread::sleep(backoff.pause().min(left));
        Ok(())
    }
}

impl End {
    fn exit(&self) -> Exit {
        match self {
            Self::Decided(approval, _) => match approval.status {
                Status::Approved => Exit::Ok,
                Status::Denied => Exit::Failed,
                Status::Stopped => Exit::Stopped,
                Status::Pending | Status::Expired | Status::Cancelled => Exit::Unanswered,
            },
            Self::Refused(HubError::Refused(problem)) if matches!(problem.status, 400 | 409 | 413 | 422) => Exit::Usage,
            Self::Refused(_) | Self::Unreachable(_) | Self::NoApprover | Self::Interrupted => Exit::Unanswered,
        }
    }

    fn tell(&self, json: bool) -> Result<(), Failure> {
        let mut out = Out::open();
        match self {
            Self::Decided(approval, text) => {
                let decision = approval.decision.as_ref();
                let by = decision.map_or("nobody", |decision| super::surface(decision.by));
                say(&format!("{} by {by}", approval.status.as_str()));
                let message = decision.and_then(|decision| decision.message.as_deref());
                if json {
                    out.line(text.trim_end())?;
                } else if let Some(message) = message {
                    out.line(&visible(message))?;
                }
            }
            Self::Unreachable(error) => Self::failed(&mut out, json, "unreachable", &format!("unreachable: {error}"))?,
            Self::Refused(error) => Self::failed(&mut out, json, "refused", &error.to_string())?,
            Self::NoApprover => Self::failed(&mut out, json, "no_approver", "nobody came who can answer")?,
            Self::Interrupted => Self::failed(&mut out, json, "interrupted", "interrupted: nobody allowed it")?,
        }
        out.flush()
    }

    fn failed(out: &mut Out, json: bool, status: &str, why: &str) -> Result<(), Failure> {
        say(&format!("countersign: {why}"));
        if json {
            out.line(&json!({ "status": status, "error": why }).to_string())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeHub, Reply, Request};
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn asker(hub: &FakeHub, line: &str) -> Asker {
        let words = format!("ask --tool bash --request-id r1 --unreachable-after 2 {line}");
        let arguments = Line::try_parse_from(words.split_whitespace())
            .expect("a line")
            .arguments;
        let quick = Duration::from_millis(5);
        Asker {
            poll: quick,
            backoff: Backoff::between(quick, quick),
            ..Asker::new(&arguments, hub.place()).expect("an asker")
        }
    }

    /// An approval as the hub writes it.
    fn approval(status: &str, decision: Option<&str>) -> String {
        let mut value = json!({
            "id": "apr-1", "request_id": "r1", "agent": "rest", "session": "rest", "origin": "rest", "tool_name": "bash",
            "arguments": {}, "digest": "00", "edits": false, "seq": 1, "asked_at": "2026-01-17T10:30:00.000Z",
            "status": status, "delivery": "waiting",
        });
        if let Some(decision) = decision {
            value["decision"] = json!({"decision": decision, "scope": "once", "message": "because", "by": "window", "at": "2026-01-17T10:30:00.000Z"});
        }
        value.to_string()
    }

    fn check(replies: Vec<Reply>, expect: Exit) -> Vec<Request> {
        let mut replies = replies.into_iter();
        let hub = FakeHub::start(move |_| replies.next().unwrap_or(Reply::Nothing));
        let mut asker = asker(&hub, "");
        asker.unreachable_after = Duration::from_millis(60);
        let end = asker.ask();
        assert_eq!(end.exit(), expect, "{end:?}");
        hub.seen()
    }

    #[test]
    fn each_answer_has_its_exit_code() {
        for (status, decision, expect) in [
            ("approved", Some("approve"), Exit::Ok),
            ("denied", Some("deny"), Exit::Failed),
            ("stopped", Some("stop"), Exit::Stopped),
            ("expired", Some("deny"), Exit::Unanswered),
            ("cancelled", Some("deny"), Exit::Unanswered),
        ] {
            check(vec![Reply::json(200, approval(status, decision))], expect);
        }
    }

    #[test]
    fn a_pending_request_is_asked_for_until_it_is_answered() {
        let seen = check(
            vec![
                Reply::json(201, approval("pending", None)),
                Reply::json(200, approval("pending", None)),
                Reply::json(200, approval("denied", Some("deny"))),
            ],
            Exit::Failed,
        );
        let lines: Vec<_> = seen
            .iter()
            .map(|request| format!("{} {}", request.method, request.path))
            .collect();
        assert_eq!(
            lines,
            [
                "POST /api/approvals?wait=0.005",
                "GET /api/approvals/apr-1?wait=0.005",
                "GET /api/approvals/apr-1?wait=0.005"
            ]
        );
        assert!(seen.iter().all(|request| request.header("authorization").is_none()));
    }

    #[test]
    fn a_hub_that_restarts_is_asked_again_with_the_same_request() {
        let seen = check(
            vec![
                Reply::json(201, approval("pending", None)),
                Reply::Nothing,
                Reply::json(503, r#"{"detail":"starting"}"#),
                Reply::json(201, approval("pending", None)),
                Reply::json(404, "{}"),
                Reply::json(200, approval("approved", Some("approve"))),
            ],
            Exit::Ok,
        );
        let asked: Vec<_> = seen
            .iter()
            .filter(|request| request.method == "POST")
            .map(Request::json)
            .collect();
        assert!(
            asked.len() >= 3 && asked.iter().all(|body| *body == asked[0]),
            "{asked:?}"
        );
    }

    #[test]
    fn a_hub_that_stays_away_is_no_approval() {
        check(vec![], Exit::Unanswered);
        check(vec![Reply::json(201, approval("pending", None))], Exit::Unanswered);
    }

    #[test]
    fn what_is_not_plainly_an_approval_is_none() {
        for body in [
            approval("approved", None),
            approval("approved", Some("deny")),
            approval("pending", Some("approve")),
            approval("approved", Some("approve")).replace("\"r1\"", "\"r2\""),
            approval("approved", Some("approve"))
                .replace("\"because\"", "\"because\",\"arguments\":{\"command\":\"other\"}"),
            approval("APPROVED", Some("approve")),
            r#"{"status":"approved"}"#.to_owned(),
            "yes".to_owned(),
            String::new(),
        ] {
            check(vec![Reply::json(200, body)], Exit::Unanswered);
        }
        for status in [301, 302, 401, 403, 421, 500] {
            check(
                vec![Reply::json(status, approval("approved", Some("approve")))],
                Exit::Unanswered,
            );
        }
    }

    #[test]
    fn a_request_that_the_hub_does_not_take_is_a_usage_error() {
        for status in [400, 409, 413, 422] {
            check(vec![Reply::json(status, r#"{"detail":"no"}"#)], Exit::Usage);
        }
    }

    #[test]
    fn somebody_who_can_answer_is_waited_for_first() {
        let status = |approvers: u32| {
            json!({"version": "0", "epoch": "e", "head": 0, "durable": 0, "oldest": 1, "listeners": [], "connections": 0,
                "approvers": approvers, "pending": 0, "store_bytes": 0, "data_dir": "", "problems": []})
            .to_string()
        };
        let mut polls = 0;
        let hub = FakeHub::start(move |request| {
            if request.path == "/api/status" {
                polls += 1;
                return Reply::json(200, status(u32::from(polls > 2)));
            }
            assert!(polls > 2, "asked before anybody could answer");
            Reply::json(200, approval("approved", Some("approve")))
        });
        assert_eq!(asker(&hub, "--wait-for-approver").ask().exit(), Exit::Ok);

        let hub = FakeHub::start(move |request| {
            assert_eq!(request.path, "/api/status");
            Reply::json(200, status(0))
        });
        assert!(matches!(asker(&hub, "--wait-for-approver 0.02").ask(), End::NoApprover));
    }

    #[test]
    fn a_command_is_an_argument_of_that_name() {
        let hub = FakeHub::start(|_| Reply::Nothing);
        let body = asker(
            &hub,
            "--command -rf --agent a --session s --timeout 1.5 --cwd /x --reason why",
        )
        .body;
        assert_eq!(
            body,
            json!({"request_id": "r1", "tool_name": "bash", "arguments": {"command": "-rf"}, "accepts_edits": false, "cwd": "/x", "reason": "why",
                "timeout": 1.5, "agent": "a", "session": "s"})
        );
    }
}

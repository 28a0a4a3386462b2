//! Waits for one answer, through restarts of the hub: asks again with the same id until it is decided or the hub is given up on.
//! What is not plainly an approval of this request never passes for one; the question itself is decided by the hub alone.

use std::time::{Duration, Instant};

use countersign_hub::random_hex;
use countersign_model::{Approval, HubStatus, Json, Status, Verdict, to_json};
use serde::Serialize;
use serde_json::json;

use super::Arguments;
use super::end::End;
use crate::commands;
use crate::failure::Failure;
use crate::hub::{Backoff, Body, Client, HubError, Place};
use crate::output::say;
use crate::show::one_line;

/// The data of an `approval_request`, and who asks.
#[derive(Serialize)]
struct Request<'a> {
    request_id: &'a str,
    tool_name: &'a str,
    /// To the letter.
    arguments: &'a Json,
    /// What runs after exit code 0 is what was asked for, unless the caller looks.
    accepts_edits: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<f64>,
    agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

/// A question on its way, and how patient its asker is.
pub(super) struct Asker {
    place: Place,
    request_id: String,
    body: Json,
    accept_edits: bool,
    /// Wait for somebody who can answer, and how long.
    approver: Option<Option<Duration>>,
    unreachable_after: Duration,
    /// How long one request may wait at the hub.
    poll: Duration,
    backoff: Backoff,
}

impl Asker {
    pub(super) fn new(arguments: &Arguments, place: Place) -> Result<Self, Failure> {
        let request_id = arguments.request_id.clone().unwrap_or_else(|| random_hex(16));
        let cwd = match &arguments.cwd {
            Some(cwd) => std::path::absolute(cwd).map_err(|error| Failure::Usage(format!("--cwd: {error}")))?,
            None => std::env::current_dir().unwrap_or_default(),
        };
        let cwd = cwd.to_string_lossy();
        let call = match (&arguments.arguments, &arguments.command) {
            (Some(arguments), _) => arguments.clone(),
            (None, Some(command)) => to_json(&json!({ "command": command })),
            (None, None) => to_json(&json!({})),
        };
        let body = Request {
            request_id: &request_id,
            tool_name: &arguments.tool,
            arguments: &call,
            accepts_edits: arguments.accept_edits,
            cwd: (!cwd.is_empty()).then_some(&*cwd),
            reason: arguments.reason.as_deref(),
            timeout: arguments.timeout.map(|timeout| timeout.as_secs_f64()),
            agent: &commands::agent(arguments.agent.as_ref()),
            session: commands::session(arguments.session.as_ref()),
        };
        let body = to_json(&body);
        Ok(Self {
            place,
            request_id,
            body,
            accept_edits: arguments.accept_edits,
            approver: arguments.wait_for_approver,
            unreachable_after: arguments.unreachable_after,
            poll: Duration::from_secs(25),
            backoff: Backoff::new(),
        })
    }

    pub(super) fn ask(mut self) -> End {
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
            None => client.post_text("/api/approvals", &pairs, Body::Json(self.body.get()), wait)?,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;
    use crate::testing::{FakeHub, Reply, Request};
    use clap::Parser;
    use serde_json::Value;

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
        let line = "--command -rf --agent a --session s --timeout 1.5 --cwd /x --reason why";
        let body: Value = serde_json::from_str(asker(&hub, line).body.get()).expect("JSON");
        assert_eq!(
            body,
            json!({
                "request_id": "r1", "tool_name": "bash", "arguments": {"command": "-rf"}, "accepts_edits": false, "cwd": "/x",
                "reason": "why", "timeout": 1.5, "agent": "a", "session": "s",
            })
        );
    }

    #[test]
    fn arguments_are_sent_to_the_letter() {
        let hub = FakeHub::start(|_| Reply::Nothing);
        let body = asker(&hub, r#"--arguments {"n":1.50,"n":2}"#).body;
        assert!(body.get().contains(r#""arguments":{"n":1.50,"n":2}"#), "{body}");
    }
}

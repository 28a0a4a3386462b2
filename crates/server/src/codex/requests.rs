//! A session's requests: put to the hub one at a time, shown to the client once they are recorded, answered by whoever is
//! first, and the answer told to the agent.

use countersign_dialects::codex::{self, Response, Review};
use countersign_hub::AnswerError;
use countersign_hub::agent_loop::{Inquiry, Told};
use countersign_model::{Answer, Approval, Status, Surface, Verdict};

use super::approval::{Open, asked, place, refusal};
use super::session::Session;
use super::uuid;

/// Words that may wait for an agent that does not listen, before it is not asked to explain any more.
const UNTOLD: usize = 8;

impl Session {
    /// Takes the client's answer in: to the request that it has before it, whatever id the answer has.
    pub(super) async fn response(&mut self, response: Response, id: Option<String>) {
        let id = id.as_deref();
        let Some(open) = self.open.as_mut().filter(|open| open.shown && !open.answered) else {
            self.owed = self.owed.saturating_sub(1);
            let error = match &self.elsewhere {
                Some(how) => format!("no request is outstanding: the last one {how}"),
                None => "no request is outstanding: there is nothing to answer".to_owned(),
            };
            return self.fail(&error, id).await;
        };
        let named = id == Some(&*open.request_id);
        let Some((verdict, scope)) = response.review.verdict() else {
            return self.explain(id).await;
        };
        // It may have been on its way, or on the user's mind, for a request that somebody else answered meanwhile. An approval
        // must not run what its user has not seen; a denial can.
        if std::mem::take(&mut self.owed) > 0 && verdict == Verdict::Approve && !named {
            let error = format!(
                "this may be for an earlier request, which was answered by somebody else, so it approves nothing: to answer the \
                 request that is outstanding now, send it again, or with that request's id ({})",
                open.request_id
            );
            return self.fail(&error, id).await;
        }
        let answer = Answer {
            verdict,
            scope,
            arguments: (verdict == Verdict::Approve).then(|| open.edited(&response)).flatten(),
            grants: Vec::new(),
            message: response.deny_message,
            by: Surface::Socket,
        };
        let answered = self.hub.answer(open.waiter.id(), answer).await;
        let failed = match answered {
            Ok(_) => {
                (open.answered, open.here) = (true, true);
                self.elsewhere = None;
                open.apply_patch = response.apply_patch.filter(|_| open.asked.apply_patch.is_some());
                self.stops |= response.review == Review::No;
                return;
            }
            Err(AnswerError::Resolved(approval)) => {
                open.answered = true;
                let how = outcome(&approval);
                let error = format!("too late: the request {how}");
                self.elsewhere = Some(how);
                error
            }
            Err(error) => error.to_string(),
        };
        self.fail(&failed, id).await;
    }

    /// The user wants to know more; the question stays.
    async fn explain(&mut self, id: Option<&str>) {
        if self.untold() >= UNTOLD {
            return self
                .fail("the agent does not listen at the moment; ask again later", id)
                .await;
        }
        if let Some(open) = &self.open {
            let question = open.question.clone();
            self.tell(Told::Explain { question }, None);
        }
    }

    /// Goes on with the request: asks it, shows it, tells the agent how it was answered, and takes the next one.
    pub(super) async fn see_to_request(&mut self) {
        loop {
            match self.open.take() {
                Some(open) => {
                    if let Some(open) = self.go_on(open).await {
                        self.open = Some(open);
                        return;
                    }
                }
                None => match self.asks.pop_front() {
                    Some(inquiry) => self.ask(inquiry).await,
                    None => return,
                },
            }
        }
    }

    async fn ask(&mut self, inquiry: Inquiry) {
        let request_id = uuid();
        let asked = asked(&inquiry);
        let Inquiry {
            question, cwd, call_id, ..
        } = inquiry;
        let mut ask = codex::ask(
            &request_id,
            &self.key.agent,
            &self.key.session,
            &asked,
            cwd,
            call_id.as_deref(),
        );
        (ask.timeout, ask.stream) = (self.timeout, self.stream.clone());
        match self.hub.ask(ask).await {
            Ok(taken) => {
                self.open = Some(Open {
                    question,
                    asked,
                    request_id,
                    waiter: taken.waiter,
                    seq: taken.seq,
                    shown: false,
                    answered: false,
                    here: false,
                    apply_patch: None,
                });
            }
            Err(error) => {
                let error = format!("the agent's request was refused: {error}");
                self.tell(Told::Decision(refusal(question, Verdict::Deny, error.clone())), None);
                self.fail(&error, None).await;
            }
        }
    }

    /// Gives the request back while it is open.
    async fn go_on(&mut self, mut open: Open) -> Option<Open> {
        if let Some(approval) = open.waiter.claim() {
            self.resolved(open, &approval).await;
            return None;
        }
        if !open.shown && self.is_to_be_shown(&open) {
            open.shown = true;
            self.say(codex::approval_request(&open.request_id, &open.asked)).await;
        }
        Some(open)
    }

    /// Recorded, and not answered by a rule or a stop before anybody saw it.
    fn is_to_be_shown(&self, open: &Open) -> bool {
        let pending = |approval: Approval| approval.status == Status::Pending;
        self.hub.durable() >= open.seq
            && self
                .hub
                .find_key(&self.key.agent, &open.request_id)
                .is_some_and(pending)
    }

    async fn resolved(&mut self, open: Open, approval: &Approval) {
        let ruling = open.ruling(approval);
        if let (Verdict::Stop, Some(turn)) = (ruling.verdict, &mut self.turn) {
            turn.stopped = true;
        }
        if open.here {
            self.elsewhere = None;
        } else {
            self.elsewhere = Some(outcome(approval));
            if open.shown {
                self.owed += usize::from(!open.answered);
                self.say(codex::approval_resolved(&uuid(), approval)).await;
            }
        }
        self.tell(Told::Decision(ruling), Some(open.waiter));
    }
}

/// How a request was answered, in words.
fn outcome(approval: &Approval) -> String {
    let status = approval.status.as_str();
    match &approval.decision {
        Some(decision) => format!("was {status} {}", place(decision.by)),
        None => format!("is {status}"),
    }
}

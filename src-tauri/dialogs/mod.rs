//! Approvals as native dialogs: one at a time, oldest first, the rest in line. A reader of the registry that answers through
//! the hub like anybody else, and may be too late like anybody else. How a dialog looks is the platform's part.

mod asker;
mod choices;
mod confirmation;
#[cfg(any(test, target_os = "linux"))]
mod gate;
#[cfg(target_os = "linux")]
mod gtk;
mod indent;
mod line;
mod markdown;
#[cfg(not(target_os = "linux"))]
mod plugin;
pub(crate) mod question;
mod sections;

use std::sync::Arc;
use std::time::Duration;

use countersign_hub::{AnswerError, EventQuery, Hub};
use countersign_model::{Answer, Approval, Json, Scope, Surface, to_json};
use tauri::{AppHandle, Runtime};
use tokio::sync::{mpsc, oneshot};

pub(crate) use asker::At;
use asker::{Asker, Outcome, Said};
pub(crate) use confirmation::{Confirmation, Confirmer, Confirming};
use line::{Line, Step};
use question::Question;
pub(crate) use question::gist;

/// A confirmation that nobody answers is a no after this while, so that it holds no approval back for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// A history that cannot be read so soon keeps no question waiting.
const LOOK: Duration = Duration::from_secs(2);

/// Starts the dialogs of this desktop. `show` brings the window up at an approval, as it is told.
pub(crate) fn start<R: Runtime>(
    app: &AppHandle<R>,
    hub: Arc<Hub>,
    confirms: mpsc::Receiver<Confirming>,
    show: impl Fn(&str, At) + Send + Sync + 'static,
) {
    #[cfg(target_os = "linux")]
    let asker = gtk::GtkAsker::start(app);
    #[cfg(not(target_os = "linux"))]
    let asker = plugin::PluginAsker::new(app);
    tauri::async_runtime::spawn(Dialogs::new(hub, asker, show).run(confirms));
}

struct Dialogs<A, S> {
    hub: Arc<Hub>,
    asker: A,
    show: S,
    line: Line,
}

impl<A: Asker, S: Fn(&str, At) + Send + Sync> Dialogs<A, S> {
    fn new(hub: Arc<Hub>, asker: A, show: S) -> Self {
        Self {
            hub,
            asker,
            show,
            line: Line::default(),
        }
    }

    async fn run(mut self, mut confirms: mpsc::Receiver<Confirming>) {
        let mut answers = self.hub.answers();
        let mut open = None;
        loop {
            answers.borrow_and_update();
            self.step(&mut open).await;
            tokio::select! {
                outcome = ended(&mut open) => {
                    open = None;
                    self.settle(outcome).await;
                }
                changed = answers.changed() => if changed.is_err() { return },
                Some(confirming) = confirms.recv() => {
                    // Keys go to the newest of two dialogs, whichever is in front: so never two.
                    if let Some(question) = open.take() {
                        self.asker.withdraw();
                        self.settle(question.await.ok()).await;
                    }
                    self.confirm(confirming).await;
                }
            }
        }
    }

    async fn step(&mut self, open: &mut Option<oneshot::Receiver<Outcome>>) {
        let waiting = self.hub.waiting();
        let ids: Vec<_> = waiting.iter().map(|approval| approval.id.clone()).collect();
        match self.line.step(&ids) {
            Step::Rest => {}
            Step::Keep(behind) => self.asker.behind(behind),
            Step::Withdraw => self.asker.withdraw(),
            Step::Open(id) => {
                if let Some(approval) = waiting.iter().find(|approval| approval.id == id) {
                    let data = self.asked(approval).await;
                    let question = Question::of(approval).with_told(data.as_deref());
                    *open = Some(self.asker.ask(question, self.line.behind(&ids)));
                }
            }
        }
    }

    /// The request as it came: the registry keeps what binds, and the reason is not of it. Without it the question is asked as well.
    async fn asked(&self, approval: &Approval) -> Option<Json> {
        let query = EventQuery {
            since: approval.seq.checked_sub(1)?,
            until: Some(approval.seq),
            limit: 1,
            max_bytes: 1,
            ..EventQuery::default()
        };
        let page = tokio::time::timeout(LOOK, self.hub.archive().events(query))
            .await
            .ok()?;
        page.ok()?.events.pop().map(|event| event.data)
    }

    async fn settle(&mut self, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::Answer(said)) => {
                if let Some(id) = self.line.shown().cloned() {
                    self.answer(&id, said).await;
                }
            }
            Some(Outcome::Show(at)) => {
                if let Some(id) = self.line.close() {
                    // The window shows all that wait; another dialog in front of it would be in the way.
                    self.line
                        .leave(self.hub.waiting().into_iter().map(|approval| approval.id));
                    (self.show)(&id, at);
                }
            }
            Some(Outcome::Closed) => drop(self.line.close()),
            Some(Outcome::Withdrawn) => drop(self.line.set_aside()),
            None => {
                tracing::warn!("no dialog could be opened; the request waits in the window");
                self.line.close();
            }
        }
    }

    async fn answer(&mut self, id: &str, said: Said) {
        let answer = Answer {
            verdict: said.verdict,
            scope: Scope::Once,
            message: said.message,
            arguments: said.arguments.as_ref().map(to_json),
            grants: said.grants,
            by: Surface::Dialog,
        };
        match self.hub.answer(id, answer).await {
            // Somebody was first: then theirs is the answer.
            Ok(_) | Err(AnswerError::Resolved(_)) => drop(self.line.set_aside()),
            Err(error) => {
                tracing::warn!(%error, "an answer from the dialog changed nothing; the request waits in the window");
                self.line.close();
                (self.show)(id, At::Request);
            }
        }
    }

    async fn confirm(&self, confirming: Confirming) {
        let Confirming {
            confirmation,
            mut reply,
        } = confirming;
        let said = self.asker.confirm(confirmation);
        tokio::select! {
            said = said => drop(reply.send(said.unwrap_or(false))),
            () = reply.closed() => self.asker.withdraw(),
            () = tokio::time::sleep(PATIENCE) => {
                self.asker.withdraw();
                let _ = reply.send(false);
            }
        }
    }
}

/// Waits for the open dialog; without one, for ever.
async fn ended(open: &mut Option<oneshot::Receiver<Outcome>>) -> Option<Outcome> {
    match open {
        Some(open) => open.await.ok(),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;

//! The dialogs' loop against a real hub and store, with a desktop that is played by the test.

use std::sync::Mutex;

use countersign_model::{Status, Verdict};

use super::*;
use crate::testing::Bench;

/// What the loop did to the desktop.
#[derive(Debug)]
enum Did {
    Asked(Arc<str>, usize, oneshot::Sender<Outcome>),
    Behind(usize),
    Confirmed(oneshot::Sender<bool>),
    Withdrew,
}

#[derive(Clone)]
struct Played(mpsc::Sender<Did>);

impl Played {
    fn tell(&self, did: Did) {
        self.0.try_send(did).expect("the test reads along");
    }
}

impl Asker for Played {
    fn ask(&self, question: Question, behind: usize) -> oneshot::Receiver<Outcome> {
        let (outcome, ended) = oneshot::channel();
        self.tell(Did::Asked(question.id, behind, outcome));
        ended
    }
    fn behind(&self, count: usize) {
        self.tell(Did::Behind(count));
    }
    fn confirm(&self, _: Confirmation) -> oneshot::Receiver<bool> {
        let (said, answer) = oneshot::channel();
        self.tell(Did::Confirmed(said));
        answer
    }
    fn withdraw(&self) {
        self.tell(Did::Withdrew);
    }
}

struct Scene {
    bench: Bench,
    did: mpsc::Receiver<Did>,
    shown: Arc<Mutex<Vec<(String, At)>>>,
    confirmer: Confirmer,
}

impl Scene {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let (tell, did) = mpsc::channel(64);
        let (confirmer, confirms) = Confirmer::new();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let seen = shown.clone();
        let show = move |id: &str, at: At| seen.lock().unwrap().push((id.to_owned(), at));
        tokio::spawn(Dialogs::new(bench.hub.clone(), Played(tell), show).run(confirms));
        Self {
            bench,
            did,
            shown,
            confirmer,
        }
    }

    /// The next dialog that opens.
    async fn asked(&mut self) -> (Arc<str>, usize, oneshot::Sender<Outcome>) {
        loop {
            match self.did.recv().await.expect("the loop runs") {
                Did::Asked(id, behind, outcome) => return (id, behind, outcome),
                Did::Behind(_) | Did::Withdrew => {}
                Did::Confirmed(_) => panic!("no confirmation was asked for"),
            }
        }
    }

    async fn until_behind(&mut self, count: usize) {
        loop {
            match self.did.recv().await.expect("the loop runs") {
                Did::Behind(now) if now == count => return,
                Did::Behind(_) => {}
                other => panic!("{other:?} while waiting for {count} behind"),
            }
        }
    }

    async fn until_shown(&self) {
        while self.shown.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    async fn until_withdrawn(&mut self) {
        while !matches!(self.did.recv().await.expect("the loop runs"), Did::Withdrew) {}
    }
}

#[tokio::test]
async fn an_answer_reaches_the_agent_and_the_next_one_is_asked() {
    let mut scene = Scene::new().await;
    let mut first = scene.bench.ask("r1", r#"{"command":"ls"}"#).await;
    let (id, _, outcome) = scene.asked().await;
    assert_eq!(id, *first.id());
    let second = scene.bench.ask("r2", "{}").await;
    scene.until_behind(1).await;
    outcome.send(Outcome::Answer(Said::only(Verdict::Approve))).unwrap();
    let answered = first.answer().await;
    assert_eq!(answered.status, Status::Approved);
    assert_eq!(answered.decision.unwrap().by, Surface::Dialog);
    let (id, behind, _open) = scene.asked().await;
    assert_eq!((&id, behind), (second.id(), 0));
}

#[tokio::test]
async fn permissions_to_keep_and_a_note_go_with_the_answer() {
    let mut scene = Scene::new().await;
    let mut asked = scene.bench.ask_with("r1", "{}", &["one", "two"]).await;
    let (_, _, outcome) = scene.asked().await;
    let said = Said {
        verdict: Verdict::Approve,
        grants: vec![1],
        arguments: None,
        message: Some("only there".into()),
    };
    outcome.send(Outcome::Answer(said)).unwrap();
    let decision = asked.answer().await.decision.unwrap();
    assert_eq!(
        (decision.grants, decision.message.as_deref()),
        (vec![1], Some("only there"))
    );
}

#[tokio::test]
async fn answered_elsewhere_it_is_withdrawn_and_a_late_answer_changes_nothing() {
    let mut scene = Scene::new().await;
    let mut asked = scene.bench.ask("r1", "{}").await;
    let (id, _, outcome) = scene.asked().await;
    scene.bench.answer(&id, Verdict::Deny).await.expect("first");
    scene.until_withdrawn().await;
    outcome.send(Outcome::Answer(Said::only(Verdict::Approve))).unwrap();
    assert_eq!(asked.answer().await.status, Status::Denied);
    let next = scene.bench.ask("r2", "{}").await;
    assert_eq!(scene.asked().await.0, *next.id());
}

#[tokio::test]
async fn closed_it_stays_pending_and_does_not_come_back() {
    let mut scene = Scene::new().await;
    let first = scene.bench.ask("r1", "{}").await;
    let (_, _, outcome) = scene.asked().await;
    outcome.send(Outcome::Closed).unwrap();
    let second = scene.bench.ask("r2", "{}").await;
    let (id, behind, _open) = scene.asked().await;
    assert_eq!((&id, behind), (second.id(), 0));
    let pending = scene.bench.hub.find(first.id()).await.unwrap();
    assert_eq!(pending.status, Status::Pending);
}

#[tokio::test]
async fn show_brings_the_window_up_at_the_request() {
    let mut scene = Scene::new().await;
    let first = scene.bench.ask("r1", "{}").await;
    let (_, _, outcome) = scene.asked().await;
    outcome.send(Outcome::Show(At::Request)).unwrap();
    scene.until_shown().await;
    scene.bench.ask("r2", "{}").await;
    scene.asked().await;
    assert_eq!(*scene.shown.lock().unwrap(), [(first.id().to_string(), At::Request)]);
}

#[tokio::test]
async fn whoever_goes_to_the_window_is_asked_there_about_all_that_wait() {
    let mut scene = Scene::new().await;
    let first = scene.bench.ask("r1", "{}").await;
    let (_, _, outcome) = scene.asked().await;
    let _second = scene.bench.ask("r2", "{}").await;
    scene.until_behind(1).await;
    outcome.send(Outcome::Show(At::Edit)).unwrap();
    scene.until_shown().await;
    let third = scene.bench.ask("r3", "{}").await;
    let (id, behind, _open) = scene.asked().await;
    assert_eq!((&id, behind), (third.id(), 0));
    assert_eq!(*scene.shown.lock().unwrap(), [(first.id().to_string(), At::Edit)]);
}

#[tokio::test]
async fn a_confirmation_comes_first_and_alone_and_the_question_returns_after_it() {
    let mut scene = Scene::new().await;
    let _first = scene.bench.ask("r1", "{}").await;
    let (id, _, outcome) = scene.asked().await;
    let confirmer = scene.confirmer.clone();
    let allowed = tokio::spawn(async move { confirmer.ask(Confirmation::of_stop_all(&[], 0)).await });
    scene.until_withdrawn().await;
    outcome.send(Outcome::Withdrawn).unwrap();
    let Some(Did::Confirmed(said)) = scene.did.recv().await else {
        panic!("a confirmation opens")
    };
    said.send(true).unwrap();
    assert!(allowed.await.unwrap());
    assert_eq!(scene.asked().await.0, id);
}

#[tokio::test]
async fn a_confirmation_whose_asker_is_gone_is_withdrawn() {
    let mut scene = Scene::new().await;
    let confirmer = scene.confirmer.clone();
    let allowed = tokio::spawn(async move { confirmer.ask(Confirmation::of_stop_all(&[], 0)).await });
    let Some(Did::Confirmed(_said)) = scene.did.recv().await else {
        panic!("a confirmation opens")
    };
    allowed.abort();
    scene.until_withdrawn().await;
}

#[tokio::test]
async fn a_desktop_that_opens_nothing_is_not_asked_again_and_again() {
    let mut scene = Scene::new().await;
    let _first = scene.bench.ask("r1", "{}").await;
    let (first, _, outcome) = scene.asked().await;
    drop(outcome);
    let _second = scene.bench.ask("r2", "{}").await;
    assert_ne!(scene.asked().await.0, first);
}

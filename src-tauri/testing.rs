//! What the shell's tests share: a real hub and store in a temporary folder, without listeners, and made-up approvals.

use std::pin::Pin;
use std::sync::Arc;

use countersign_hub::{AnswerError, Config, Hub, SystemClock, Waiter};
use countersign_model::{
    Activity, Answer, Approval, Ask, Extra, Grant, HubStatus, Millis, NewEvent, Origin, Scope, SessionView, Status,
    Surface, Verdict,
};
use countersign_server::{Figures, Upstreams, Webhooks};
use countersign_store::{Store, Writer};
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::link::{Core, Link};

/// A hub to test against.
pub(crate) struct Bench {
    pub(crate) hub: Arc<Hub>,
    status: watch::Sender<u64>,
    _writer: Arc<Writer>,
    _folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, restored) = Store::open(folder.path(), "e1").expect("a new history");
        let hub = Hub::new(Config::default(), restored, store.reads(), Arc::new(SystemClock));
        let writer = store.start(&hub).expect("a writer");
        let mut reader = hub.from_head();
        let observed = hub.clone();
        tokio::spawn(async move {
            loop {
                reader.ready().await;
                let batch = reader.read(1000, 1 << 20).await.expect("at hand");
                observed.observe(&batch);
            }
        });
        Self {
            hub,
            status: watch::Sender::new(0),
            _writer: Arc::new(writer),
            _folder: folder,
        }
    }

    pub(crate) fn link(self) -> Link {
        Link::to(self)
    }

    /// Agent `sam` in session `s1` asks to run `bash`; the request is committed.
    pub(crate) async fn ask(&self, request: &str, arguments: &str) -> Waiter {
        self.ask_with(request, arguments, &[]).await
    }

    /// The same, and offers to keep these permissions.
    pub(crate) async fn ask_with(&self, request: &str, arguments: &str, labels: &[&str]) -> Waiter {
        let question = Ask {
            grants: labels.iter().map(|label| grant(label)).collect(),
            ..ask(request, arguments)
        };
        let asked = self.hub.ask(question).await.expect("taken in");
        self.hub.committed(asked.seq).await.expect("committed");
        asked.waiter
    }

    pub(crate) async fn answer(&self, id: &str, verdict: Verdict) -> Result<Approval, AnswerError> {
        let answer = Answer {
            verdict,
            scope: Scope::Once,
            message: None,
            arguments: None,
            grants: Vec::new(),
            by: Surface::Rest,
        };
        self.hub.answer(id, answer).await
    }

    /// Agent `sam` publishes in session `s1`.
    pub(crate) async fn publish(&self, kind: &str, data: &str) {
        let event = event(kind, data);
        let published = self.hub.publish(vec![event]).await.expect("published");
        self.hub.committed(published.last).await.expect("committed");
    }
}

impl Core for Bench {
    fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }
    fn status(&self) -> HubStatus {
        HubStatus {
            version: "0".into(),
            epoch: self.hub.epoch().clone(),
            head: self.hub.head(),
            durable: self.hub.durable(),
            oldest: self.hub.oldest(),
            listeners: Vec::new(),
            connections: 0,
            approvers: 0,
            pending: u32::try_from(self.hub.waiting_count()).expect("few"),
            store_bytes: 0,
            data_dir: String::new(),
            problems: Vec::new(),
            upstreams: Vec::new(),
            webhooks: Vec::new(),
            presence: self.hub.presence(),
        }
    }
    fn figures(&self) -> Option<Figures> {
        None
    }
    fn upstreams(&self) -> Option<Upstreams> {
        None
    }
    fn webhooks(&self) -> Option<Webhooks> {
        None
    }
    fn connector(&self) -> Option<countersign_server::connect::Connector> {
        None
    }
    fn status_changes(&self) -> watch::Receiver<u64> {
        self.status.subscribe()
    }
    fn shutdown(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { drop(self) })
    }
}

pub(crate) fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("JSON")
}

pub(crate) fn event(kind: &str, data: &str) -> NewEvent {
    NewEvent {
        origin: Origin::Sam,
        agent: "sam".into(),
        session: Some("s1".into()),
        stream: None,
        kind: kind.into(),
        timestamp: None,
        data: json(data),
        extra: Extra::default(),
    }
}

pub(crate) fn grant(label: &str) -> Grant {
    Grant {
        label: label.to_owned(),
        entry: json("{}"),
    }
}

fn ask(request: &str, arguments: &str) -> Ask {
    Ask {
        origin: Origin::Sam,
        agent: "sam".into(),
        session: "s1".into(),
        stream: None,
        request_id: request.into(),
        tool_name: "bash".into(),
        arguments: json(arguments),
        tool_info: None,
        cwd: None,
        timeout: None,
        edits: false,
        stops: true,
        grants: Vec::new(),
        timestamp: None,
        data: json(&format!(
            r#"{{"request_id":"{request}","tool_name":"bash","arguments":{arguments}}}"#
        )),
        extra: Extra::default(),
    }
}

pub(crate) fn approval(id: &str, tool: &str, arguments: &str) -> Approval {
    Approval {
        id: id.into(),
        request_id: "r".into(),
        agent: "sam".into(),
        session: "s1".into(),
        stream: None,
        origin: Origin::Sam,
        tool_name: tool.into(),
        arguments: json(arguments),
        tool_info: None,
        cwd: None,
        digest: String::new(),
        edits: false,
        stops: true,
        grants: Vec::new(),
        seq: 1,
        asked_at: Millis(0),
        expires_at: None,
        status: Status::Pending,
        decision: None,
        delivery: countersign_model::Delivery::Waiting,
    }
}

pub(crate) fn view(agent: &str, session: &str) -> SessionView {
    SessionView {
        agent: agent.into(),
        session: session.into(),
        stream: None,
        origin: None,
        parent: None,
        role: None,
        folder: None,
        activity: Activity::Working,
        since: Millis(0),
        task: Some("execute_code".into()),
        progress: None,
        pending: 0,
        stopped: false,
        stops: true,
        connections: 1,
        events: 1,
        last: Millis(0),
    }
}

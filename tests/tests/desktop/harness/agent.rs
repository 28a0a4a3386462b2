//! The agent at the other end: Python's `websockets`, which nobody here wrote, on `/publish`.

use countersign_tests::{Foreign, Peer, rest};
use serde_json::{Value, json};

/// An agent with one session.
pub(crate) struct Agent {
    socket: Foreign,
    url: String,
    name: String,
    session: String,
}

impl Agent {
    /// Connects, as agent `name` in session `s-NAME`.
    pub(crate) fn connect(port: u16, name: &str) -> Self {
        Self {
            socket: Foreign::python(&format!("ws://127.0.0.1:{port}/publish")),
            url: format!("http://127.0.0.1:{port}"),
            name: name.to_owned(),
            session: format!("s-{name}"),
        }
    }

    /// Its session.
    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    /// Publishes an event and waits until it is committed.
    pub(crate) fn publish(&mut self, kind: &str, data: &Value) -> u64 {
        self.socket
            .publish(&json!({ "type": kind, "agent": self.name, "session": self.session, "data": data }))
    }

    /// Publishes events at one moment, however busy the machine is.
    pub(crate) fn publish_together(&self, kind: &str, data: impl Iterator<Item = Value>) {
        let event = |data| json!({ "type": kind, "agent": self.name, "session": self.session, "data": data });
        let body = Value::from_iter(data.map(event)).to_string();
        rest::call(
            "POST",
            &self.url,
            "/api/events",
            &[("content-type", "application/json")],
            Some(&body),
        )
        .expect(200);
    }

    /// Asks to run `bash` with this command.
    pub(crate) fn ask(&mut self, request: &str, command: &str) {
        self.ask_for(&json!({ "request_id": request, "tool_name": "bash", "arguments": { "command": command } }));
    }

    /// Asks with this data.
    pub(crate) fn ask_for(&mut self, data: &Value) {
        let frame = json!({ "type": "approval_request", "agent": self.name, "session": self.session, "data": data });
        self.socket.send(&frame);
    }

    /// The next answer that the socket brings: which request, and what was said.
    pub(crate) fn answer(&mut self) -> (String, String) {
        let frame = self.socket.skip_to("approval_response");
        let text = |name: &str| frame[name].as_str().unwrap_or_default().to_owned();
        (text("request_id"), text("response"))
    }

    /// The next frame of this type.
    pub(crate) fn skip_to(&mut self, kind: &str) -> Value {
        self.socket.skip_to(kind)
    }

    /// Waits for a receipt and fails if an answer came before it: nothing was answered so far.
    pub(crate) fn expect_no_answer(&mut self) {
        let frame = json!({ "type": "note", "agent": self.name, "session": self.session, "data": {}, "ack": "so far" });
        self.socket.send(&frame);
        let next = self.socket.next();
        assert_eq!(next["type"], "ack", "the agent got {next}");
    }
}

//! What a SAM monitor or agent says and hears.

use std::sync::Arc;

use countersign_dialects::sam::{self, Decoded, Inbound, Peer, Reply, WireError};
use countersign_hub::{AskError, Refusal, Stop};
use countersign_model::{Approval, Epoch, Json, Origin, Seq};
use tokio::sync::{Notify, mpsc};

use crate::auth::{Access, ApproverGuard, Badge, Door};
use crate::socket::{Conversation, Direct, End, Incoming, Message, Publisher, Tongue, answer};

/// SAM's words for what an agent is owed.
pub(crate) struct Sam;

impl Tongue for Sam {
    fn receipt(&self, ack: &Json, epoch: &Epoch, seq: Seq) -> String {
        sam::ack(ack, epoch, seq)
    }

    fn answer(&self, approval: &Approval) -> Option<String> {
        sam::answer(approval)
    }

    fn stop(&self, stop: &Stop) -> String {
        sam::stop(&stop.key.session, stop.message.as_deref())
    }

    fn error(&self, error: &str, field: Option<&str>) -> String {
        sam::error(error, field)
    }

    fn refused(&self, error: &AskError) -> String {
        let field = match &error {
            AskError::Refused(Refusal::Conflict(_) | Refusal::TooManySessions(_)) => Some("data.request_id"),
            AskError::Refused(Refusal::Arguments(_)) => Some("data.arguments"),
            AskError::Refused(Refusal::TooLarge { .. }) => Some("data"),
            AskError::Refused(Refusal::TooMany) | AskError::Archive(_) => None,
        };
        sam::error(&error.to_string(), field)
    }
}

pub(crate) struct SamConversation {
    door: Door,
    badge: Badge,
    publisher: Publisher<Sam>,
    peer: Peer,
    /// Held by a connection that may answer.
    _approver: Option<ApproverGuard>,
    /// Signalled at the first message: events need not wait any longer.
    started: Arc<Notify>,
}

impl SamConversation {
    /// `origin` is what its frames come from, as far as they do not say themselves whose dialect they are.
    pub(crate) fn new(
        origin: Origin,
        door: Door,
        badge: Badge,
        name: String,
        timeout: Option<i64>,
        started: Arc<Notify>,
        direct: mpsc::Sender<Direct>,
    ) -> Self {
        let peer = Peer {
            origin,
            agent: origin.as_str().into(),
            session: Some(name.as_str().into()),
        };
        Self {
            _approver: badge.with(Access::may_answer).then(|| door.keys.count_approver()),
            publisher: Publisher::new(door.clone(), badge.clone(), name, timeout, Sam, direct),
            door,
            badge,
            peer,
            started,
        }
    }

    /// Who it is, said at the door.
    pub(crate) fn enters(&self, agent: &str, session: &str) {
        self.publisher.enters(agent, session);
    }

    async fn frame(&self, text: &str, incoming: &mut Incoming) {
        let decoded = sam::decode(text, &self.peer);
        if let Ok(Decoded {
            inbound: Inbound::Event(event),
            ack,
        }) = decoded
        {
            return self.publisher.event(event, ack, text.len(), incoming).await;
        }
        self.publisher.publish(incoming).await;
        match decoded {
            Ok(Decoded { inbound, ack }) => {
                let seq = match inbound {
                    Inbound::Event(_) => None,
                    Inbound::Ask(ask) => self.publisher.ask(*ask).await,
                    Inbound::Answer(reply) => self.answer(reply).await,
                };
                if let (Some(seq), Some(ack)) = (seq, ack) {
                    self.publisher.receipt(seq, ack).await;
                }
            }
            Err(WireError { error, field }) => self.publisher.fail(&error, field).await,
        }
    }

    async fn answer(&self, reply: Reply) -> Option<Seq> {
        match answer(&self.door, &self.badge, reply).await {
            Ok(seq) => Some(seq),
            Err(WireError { error, field }) => {
                self.publisher.fail(&error, field).await;
                None
            }
        }
    }
}

impl Conversation for SamConversation {
    type Incoming = Incoming;

    async fn hear(&self, message: Message<'_>, incoming: &mut Incoming) -> Result<(), End> {
        self.started.notify_one();
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(bytes) => {
                std::str::from_utf8(bytes).map_err(|_| End::Close(1007, "frames are JSON text".into()))?
            }
        };
        self.frame(text, incoming).await;
        Ok(())
    }

    async fn flush(&self, incoming: &mut Incoming) {
        self.publisher.publish(incoming).await;
    }

    async fn owe(&self) -> End {
        self.publisher.owe().await
    }

    fn close(&self) {
        self.publisher.close();
    }
}

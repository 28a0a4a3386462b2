//! What a SAM monitor or agent says and hears.

use std::sync::Arc;

use countersign_dialects::sam::{self, Decoded, Inbound, Peer, Reply, WireError};
use countersign_hub::{AnswerError, AskError, Refusal};
use countersign_model::{Answer, Approval, Epoch, Json, Origin, Scope, Seq, Surface, Verdict};
use tokio::sync::{Notify, mpsc};

use crate::auth::{Access, ApproverGuard, Badge, Door};
use crate::socket::{Conversation, Direct, End, Incoming, Message, Publisher, Tongue};

/// SAM's words for what an agent is owed.
pub(crate) struct Sam;

impl Tongue for Sam {
    fn receipt(&self, ack: &Json, epoch: &Epoch, seq: Seq) -> String {
        sam::ack(ack, epoch, seq)
    }

    fn answer(&self, approval: &Approval) -> Option<String> {
        sam::answer(approval)
    }

    fn stop(&self, session: &str, message: Option<&str>) -> String {
        sam::stop(session, message)
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
    pub(crate) fn new(
        door: Door,
        badge: Badge,
        name: String,
        timeout: Option<i64>,
        started: Arc<Notify>,
        direct: mpsc::Sender<Direct>,
    ) -> Self {
        let peer = Peer {
            origin: Origin::Sam,
            agent: "sam".into(),
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
        let access = self.badge.access();
        if !access.may_answer() {
            let error =
                "this connection may not answer: answer in the window, or connect with the approver token as `?token=`";
            self.publisher.fail(error, Some("type")).await;
            return None;
        }
        let hub = &self.door.hub;
        let found = match &reply.agent {
            Some(agent) => match hub.find_key(agent, &reply.request_id) {
                Some(approval) => Ok(approval),
                None => hub.find(&reply.request_id).await.and_then(|approval| {
                    if *approval.agent == **agent {
                        Ok(approval)
                    } else {
                        Err(AnswerError::NotFound)
                    }
                }),
            },
            None => hub.find(&reply.request_id).await,
        };
        let answer = Answer {
            verdict: reply.response,
            scope: Scope::Once,
            message: reply.message,
            arguments: None,
            by: Surface::Socket,
        };
        let answered = match found {
            Ok(approval) if !access.sees(approval.stream.as_deref()) => Err(AnswerError::NotFound),
            Ok(approval) => hub.answer(&approval.id, answer).await,
            Err(error) => Err(error),
        };
        match answered {
            Ok(_) => Some(hub.tail()),
            Err(AnswerError::Resolved(approval)) => {
                let verdict = approval.status.verdict().map_or("pending", Verdict::as_str);
                let error = format!(
                    "already {} ({verdict}): the first answer counts",
                    approval.status.as_str()
                );
                self.publisher.fail(&error, Some("request_id")).await;
                None
            }
            Err(error) => {
                self.publisher.fail(&error.to_string(), Some("request_id")).await;
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

//! What a Hive monitor or agent says and hears.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use countersign_dialects::hive::{self, Action, Subscription};
use countersign_dialects::sam::{Decoded, Inbound, Peer, Switches, WireError};
use countersign_hub::{AskError, HistoryLost, Hub, Refusal, Stop};
use countersign_model::{Approval, Epoch, Json, Origin, Seq, Since};
use tokio::sync::{Notify, mpsc};

use super::view::HiveView;
use crate::auth::{Access, ApproverGuard, Badge, Door, Lack, Standing};
use crate::census::{Present, Speaks};
use crate::socket::{Conversation, Direct, End, Incoming, Message, Publisher, Tongue, Tune, answer, push_text};

/// How long a connection that must authenticate may take to do so (seed 002, section 4).
const AUTH: Duration = Duration::from_secs(5);
/// The close code for what a policy forbids: RFC 6455, section 7.4.1.
const POLICY: u16 = 1008;

/// Hive's words for what an agent is owed.
pub(crate) struct Hive {
    hub: Arc<Hub>,
}

impl Tongue for Hive {
    fn receipt(&self, ack: &Json, epoch: &Epoch, seq: Seq) -> String {
        hive::ack(ack, epoch, seq)
    }

    fn answer(&self, approval: &Approval) -> Option<String> {
        hive::answer(approval, self.hub.now())
    }

    fn stop(&self, stop: &Stop) -> String {
        hive::stop(&stop.key, stop.message.as_deref(), stop.at)
    }

    fn error(&self, error: &str, field: Option<&str>) -> String {
        // What all dialects share says its own names.
        let field = field.map(|field| match field {
            "type" => "event.type",
            "stream" => "event.stream_id",
            "request_id" => "event.data.request_id",
            other => other,
        });
        hive::error(error, field)
    }

    fn refused(&self, error: &AskError) -> String {
        let field = match &error {
            AskError::Refused(Refusal::Conflict(_) | Refusal::TooManySessions(_)) => Some("event.data.request_id"),
            AskError::Refused(Refusal::Arguments(_)) => Some("event.data.arguments"),
            AskError::Refused(Refusal::TooLarge { .. }) => Some("event.data"),
            AskError::Refused(Refusal::TooMany) | AskError::Archive(_) => None,
        };
        hive::error(&error.to_string(), field)
    }
}

/// What a connection needs to speak Hive.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) door: Door,
    pub(crate) badge: Badge,
    /// Names the connection.
    pub(crate) name: String,
    /// Expires questions that do not say themselves, in seconds.
    pub(crate) timeout: Option<i64>,
    pub(crate) switches: Switches,
    /// The place in the log at the upgrade, from which the first subscription reads; `None` where there are no events.
    pub(crate) opened: Option<Seq>,
    /// Told with the first subscription.
    pub(crate) lost: Option<HistoryLost>,
    /// Counts the connection.
    pub(crate) present: Arc<Present>,
}

pub(crate) struct HiveConversation {
    setting: Setting,
    publisher: Publisher<Hive>,
    direct: mpsc::Sender<Direct>,
    peer: Peer,
    subscribed: Mutex<Subscribed>,
    /// Held by a connection that may answer since it authenticated here.
    approver: Mutex<Option<ApproverGuard>>,
    known: Notify,
}

enum Subscribed {
    /// Nothing was asked for, so nothing has flowed.
    NotYet,
    Now(HiveView),
    NoLonger,
}

impl HiveConversation {
    pub(crate) fn new(setting: Setting, direct: mpsc::Sender<Direct>) -> Self {
        let Setting {
            door,
            badge,
            name,
            timeout,
            ..
        } = setting.clone();
        let peer = Peer {
            origin: Origin::Hive,
            agent: "hive".into(),
            session: Some(name.as_str().into()),
        };
        setting.present.turn(Speaks::Hive);
        let tongue = Hive { hub: door.hub.clone() };
        Self {
            setting,
            publisher: Publisher::new(door, badge, name, timeout, tongue, direct.clone()),
            direct,
            peer,
            subscribed: Mutex::new(Subscribed::NotYet),
            approver: Mutex::default(),
            known: Notify::new(),
        }
    }

    fn door(&self) -> &Door {
        &self.setting.door
    }

    /// Counts the connection among those that may answer, if it may.
    pub(crate) fn count(&self) {
        let guard = self
            .setting
            .badge
            .with(Access::may_answer)
            .then(|| self.door().keys.count_approver());
        *self.approver.lock().unwrap_or_else(PoisonError::into_inner) = guard;
    }

    fn awaited(&self) -> bool {
        self.setting.badge.with(|access| access.standing == Standing::Awaited)
    }

    /// The first message of somebody unknown says who it is, or is the last.
    async fn introduction(&self, text: &str) -> Result<(), End> {
        match hive::decode(text, &self.peer) {
            Ok(Action::Auth { token }) if token.is_empty() => {
                Err(End::Close(POLICY, "Auth failed: `token` is missing".into()))
            }
            Ok(Action::Auth { token }) => self.authenticate(&token).await,
            Err(WireError {
                error,
                field: None | Some("token"),
            }) => Err(End::Close(POLICY, format!("Auth failed: {error}"))),
            Ok(_) | Err(_) => Err(End::Close(POLICY, "Auth required".into())),
        }
    }

    async fn authenticate(&self, token: &str) -> Result<(), End> {
        let access = self
            .door()
            .access_of(Some(token))
            .map_err(|problem| End::Close(POLICY, format!("Auth failed: {}", problem.detail())))?;
        self.setting.badge.change(access);
        self.count();
        self.known.notify_one();
        self.publisher.say(hive::authenticated()).await;
        Ok(())
    }

    async fn frame(&self, text: &str, incoming: &mut Incoming) -> Result<(), End> {
        if self.awaited() {
            return self.introduction(text).await;
        }
        let action = hive::decode(text, &self.peer);
        if let Ok(Action::Publish(decoded)) = action {
            self.publish(*decoded, text.len(), incoming).await;
            return Ok(());
        }
        // What was published before is in the log before.
        self.publisher.publish(incoming).await;
        match action {
            Ok(Action::Subscribe(subscription)) => self.subscribe(&subscription).await,
            Ok(Action::Unsubscribe) => self.unsubscribe().await,
            Ok(Action::Auth { token }) => return self.authenticate(&token).await,
            Ok(Action::Publish(_)) => {}
            Err(WireError { error, field }) => self.publisher.fail(&error, field).await,
        }
        Ok(())
    }

    async fn publish(&self, decoded: Decoded, bytes: usize, incoming: &mut Incoming) {
        let Decoded { inbound, ack } = decoded;
        let seq = match inbound {
            Inbound::Event(event) => return self.publisher.event(event, ack, bytes, incoming).await,
            Inbound::Ask(ask) => {
                self.publisher.publish(incoming).await;
                self.publisher.ask(*ask).await
            }
            Inbound::Answer(reply) => {
                self.publisher.publish(incoming).await;
                match answer(self.door(), &self.setting.badge, reply).await {
                    Ok(seq) => Some(seq),
                    Err(WireError { error, field }) => {
                        self.publisher.fail(&error, field).await;
                        None
                    }
                }
            }
        };
        if let (Some(seq), Some(ack)) = (seq, ack) {
            self.publisher.receipt(seq, ack).await;
        }
    }

    async fn subscribe(&self, subscription: &Subscription) {
        let Some(opened) = self.setting.opened else {
            let error = "no events are sent here: subscribe at `/stream` or `/`";
            return self.publisher.fail(error, Some("action")).await;
        };
        if !self.setting.badge.with(Access::may_read) {
            return self.publisher.fail(&Lack::Read.to_string(), Some("action")).await;
        }
        // Silence would look like a stream in which nothing happens.
        if let Some(stream) = &subscription.stream_id
            && !self.setting.badge.with(|access| access.sees(Some(stream)))
        {
            let error = format!("this token may not read stream {stream:?}");
            return self.publisher.fail(&error, Some("stream_id")).await;
        }
        let direct = self.tuned(opened, subscription);
        let _ = self.direct.send(direct).await;
    }

    /// The confirmation, and with it the events that the connection gets from now on.
    fn tuned(&self, opened: Seq, subscription: &Subscription) -> Direct {
        let hub = &self.door().hub;
        let switches = self.setting.switches;
        let mut subscribed = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner);
        let here = |seq| Since {
            epoch: Some(hub.epoch().clone()),
            seq,
        };
        let mut lost = None;
        let (seq, cursor, view) = match (&*subscribed, &subscription.since) {
            (Subscribed::Now(view), None) => {
                let seq = hub.head();
                (seq, None, view.replaced(seq, subscription, switches))
            }
            (before, since) => {
                let since = match (before, since) {
                    (_, Some(since)) => Some(since.clone()),
                    (Subscribed::NotYet, None) => {
                        lost.clone_from(&self.setting.lost);
                        Some(here(opened))
                    }
                    (Subscribed::Now(_) | Subscribed::NoLonger, None) => None,
                };
                let cursor = hub.cursor(since.as_ref()).unwrap_or_else(|gone| {
                    lost = Some(gone);
                    hub.from_head()
                });
                let seq = cursor.seen();
                (seq, Some(cursor), HiveView::new(seq, subscription, switches))
            }
        };
        let mut frames = BytesMut::new();
        push_text(&mut frames, &hive::subscribed(subscription, hub.epoch(), seq));
        if let Some(lost) = lost {
            push_text(
                &mut frames,
                &hive::history_lost(&lost.epoch, lost.oldest, lost.head, lost.last),
            );
        }
        *subscribed = Subscribed::Now(view.clone());
        Direct {
            tune: Some(Tune {
                view: Some(Arc::new(view)),
                cursor,
            }),
            ..Direct::frames(frames.freeze())
        }
    }

    async fn unsubscribe(&self) {
        let direct = {
            let mut subscribed = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner);
            *subscribed = Subscribed::NoLonger;
            silent(Direct::text(hive::unsubscribed()))
        };
        let _ = self.direct.send(direct).await;
    }

    /// Ends a connection that must authenticate and does not.
    async fn unknown(&self) -> End {
        if self.awaited() {
            tokio::select! {
                () = tokio::time::sleep(AUTH) => {
                    let reason = format!("Auth failed: no token within {} seconds", AUTH.as_secs());
                    return End::Close(POLICY, reason);
                }
                () = self.known.notified() => {}
            }
        }
        std::future::pending().await
    }
}

/// With this frame the events cease.
pub(super) fn silent(direct: Direct) -> Direct {
    Direct {
        tune: Some(Tune {
            view: None,
            cursor: None,
        }),
        ..direct
    }
}

/// The text of a message, whichever way it came.
pub(super) fn text(message: Message<'_>) -> Result<&str, End> {
    match message {
        Message::Text(text) => Ok(text),
        Message::Binary(bytes) => {
            std::str::from_utf8(bytes).map_err(|_| End::Close(1007, "frames are JSON text".into()))
        }
    }
}

impl Conversation for HiveConversation {
    type Incoming = Incoming;

    async fn hear(&self, message: Message<'_>, incoming: &mut Incoming) -> Result<(), End> {
        self.frame(text(message)?, incoming).await
    }

    async fn flush(&self, incoming: &mut Incoming) {
        self.publisher.publish(incoming).await;
    }

    async fn owe(&self) -> End {
        tokio::select! {
            end = self.publisher.owe() => end,
            end = self.unknown() => end,
        }
    }

    fn close(&self) {
        self.publisher.close();
    }
}

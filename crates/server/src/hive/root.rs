//! A connection that speaks SAM until it turns out to speak Hive: its first message has an `action`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_dialects::hive;
use tokio::sync::{Notify, mpsc};

use super::conversation::{HiveConversation, Setting, silent, text};
use crate::sam::SamConversation;
use crate::socket::{Conversation, Direct, End, Incoming, Message};

/// Either of the two, as the first message says.
pub(crate) struct Root {
    sam: SamConversation,
    hive: OnceLock<HiveConversation>,
    setting: Setting,
    direct: mpsc::Sender<Direct>,
    heard: AtomicBool,
    turned: Notify,
}

impl Root {
    /// The connection as it speaks SAM, and what it needs to speak Hive.
    pub(crate) fn new(sam: SamConversation, setting: Setting, direct: mpsc::Sender<Direct>) -> Self {
        Self {
            sam,
            hive: OnceLock::new(),
            setting,
            direct,
            heard: AtomicBool::new(false),
            turned: Notify::new(),
        }
    }

    async fn turn(&self) -> &HiveConversation {
        let hive = self
            .hive
            .get_or_init(|| HiveConversation::new(self.setting.clone(), self.direct.clone()));
        // Hive's events come when they are asked for, and SAM's no longer.
        let _ = self.direct.send(silent(Direct::frames(bytes::Bytes::new()))).await;
        self.turned.notify_one();
        hive
    }
}

impl Conversation for Root {
    type Incoming = Incoming;

    async fn hear(&self, message: Message<'_>, incoming: &mut Incoming) -> Result<(), End> {
        if let Some(hive) = self.hive.get() {
            return hive.hear(message, incoming).await;
        }
        if !self.heard.swap(true, Ordering::Relaxed) && hive::is_hive(text(message)?) {
            return self.turn().await.hear(message, incoming).await;
        }
        self.sam.hear(message, incoming).await
    }

    async fn flush(&self, incoming: &mut Incoming) {
        match self.hive.get() {
            Some(hive) => hive.flush(incoming).await,
            None => self.sam.flush(incoming).await,
        }
    }

    async fn owe(&self) -> End {
        let hive = async {
            self.turned.notified().await;
            match self.hive.get() {
                Some(hive) => hive.owe().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            end = self.sam.owe() => end,
            end = hive => end,
        }
    }

    fn close(&self) {
        self.sam.close();
        if let Some(hive) = self.hive.get() {
            hive.close();
        }
    }
}

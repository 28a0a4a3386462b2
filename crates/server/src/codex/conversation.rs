//! A connection as the shared machinery sees it: messages go to the session's own task, which lives a little longer than the
//! connection does, so that its log gets its last line.

use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::socket::{Conversation, End, Message};

pub(super) struct CodexConversation {
    heard: Mutex<Option<mpsc::Sender<String>>>,
}

impl CodexConversation {
    pub(super) fn new(heard: mpsc::Sender<String>) -> Self {
        Self {
            heard: Mutex::new(Some(heard)),
        }
    }

    fn session(&self) -> Option<mpsc::Sender<String>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Conversation for CodexConversation {
    type Incoming = ();

    async fn hear(&self, message: Message<'_>, (): &mut ()) -> Result<(), End> {
        let text = match message {
            Message::Text(text) => text.to_owned(),
            // What is no text is no JSON either, and gets the error that such messages get.
            Message::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        };
        match self.session() {
            Some(session) => session.send(text).await.map_err(|_| End::Gone),
            None => Err(End::Gone),
        }
    }

    async fn flush(&self, (): &mut ()) {}

    async fn owe(&self) -> End {
        if let Some(session) = self.session() {
            session.closed().await;
        }
        End::Close(1011, "the session ended".into())
    }

    fn close(&self) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

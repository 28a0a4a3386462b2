//! The sessions of MCP clients over HTTP: so many at most, and none that nobody has used for long. A session in which a person is
//! asked something is in use, however quiet it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::common::server_side_http::{ServerSseMessage, SessionId};
use rmcp::transport::streamable_http_server::session::SessionManager;
use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, LocalSessionManagerError};
use tokio::time::Instant;

/// Sessions at most; the one that was quiet for the longest makes room.
const MAX: usize = 512;
/// A session that was not used for so long is ended.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// How often that is looked at.
const TIDY: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Sessions {
    inner: LocalSessionManager,
    used: Arc<Mutex<HashMap<SessionId, Use>>>,
}

#[derive(Debug)]
struct Use {
    last: Instant,
    /// Open streams to its client.
    streams: usize,
}

/// One stream, while it lives.
struct Open {
    used: Arc<Mutex<HashMap<SessionId, Use>>>,
    id: SessionId,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(use_) = lock(&self.used).get_mut(&self.id) {
            use_.streams = use_.streams.saturating_sub(1);
            use_.last = Instant::now();
        }
    }
}

fn lock(used: &Mutex<HashMap<SessionId, Use>>) -> MutexGuard<'_, HashMap<SessionId, Use>> {
    used.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why there is no session, or none any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// All are in use.
    #[error("{MAX} sessions are open already")]
    TooMany,
    #[error(transparent)]
    Inner(#[from] LocalSessionManagerError),
}

impl Sessions {
    pub(super) fn new() -> Self {
        let mut sessions = Self::default();
        // Ours knows which are in use.
        sessions.inner.session_config.keep_alive = None;
        sessions
    }

    fn touch(&self, id: &SessionId) {
        if let Some(use_) = lock(&self.used).get_mut(id) {
            use_.last = Instant::now();
        }
    }

    fn opened<S: Stream + Send + 'static>(
        &self,
        id: &SessionId,
        stream: S,
    ) -> impl Stream<Item = S::Item> + Send + 'static {
        if let Some(use_) = lock(&self.used).get_mut(id) {
            use_.streams += 1;
        }
        let open = Open {
            used: self.used.clone(),
            id: id.clone(),
        };
        stream.map(move |message| {
            let _ = &open;
            message
        })
    }

    /// Those that were quiet the longest, if they are not in use: all that were so for too long, and one if room is needed.
    fn quiet(&self) -> Vec<SessionId> {
        let used = lock(&self.used);
        let now = Instant::now();
        let mut quiet: Vec<_> = used.iter().filter(|(_, use_)| use_.streams == 0).collect();
        quiet.sort_by_key(|(_, use_)| use_.last);
        let surplus = (used.len() + 1).saturating_sub(MAX);
        let over = |place: usize, last: Instant| place < surplus || now.saturating_duration_since(last) >= IDLE;
        let places = quiet.into_iter().enumerate();
        places
            .filter(|(place, (_, use_))| over(*place, use_.last))
            .map(|(_, (id, _))| id.clone())
            .collect()
    }

    async fn make_room(&self) -> Result<(), SessionError> {
        for id in self.quiet() {
            self.close_session(&id).await?;
        }
        if lock(&self.used).len() >= MAX {
            return Err(SessionError::TooMany);
        }
        Ok(())
    }

    /// Ends what nobody uses, now and then, for as long as the hub runs.
    pub(super) async fn tidy(self: Arc<Self>) {
        loop {
            tokio::time::sleep(TIDY).await;
            if let Err(error) = self.make_room().await {
                tracing::debug!(%error, "a quiet MCP session was not ended");
            }
        }
    }
}

impl SessionManager for Sessions {
    type Error = SessionError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        self.make_room().await?;
        let (id, transport) = self.inner.create_session().await?;
        let use_ = Use {
            last: Instant::now(),
            streams: 0,
        };
        lock(&self.used).insert(id.clone(), use_);
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        Ok(self.inner.initialize_session(id, message).await?)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        Ok(self.inner.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        lock(&self.used).remove(id);
        Ok(self.inner.close_session(id).await?)
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.touch(id);
        let stream = self.inner.create_stream(id, message).await?;
        Ok(self.opened(id, stream))
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.touch(id);
        Ok(self.inner.accept_message(id, message).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.touch(id);
        let stream = self.inner.create_standalone_stream(id).await?;
        Ok(self.opened(id, stream))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.touch(id);
        let stream = self.inner.resume(id, last_event_id).await?;
        Ok(self.opened(id, stream))
    }
}

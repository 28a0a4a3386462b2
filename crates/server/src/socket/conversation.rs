//! What a dialect does on a connection: it takes messages in, and says what the peer is owed.

use std::future::Future;

/// A whole message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Message<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

/// How a connection ends.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// The peer closed, or is gone; what it is owed has been handed over.
    Gone,
    /// We close, with a code of RFC 6455, section 7.4.
    Close(u16, String),
}

/// One connection, in one dialect. Messages come in and debts go out side by side, so both borrow it.
pub(crate) trait Conversation: Sync {
    /// What has come in and waits to be published with more.
    type Incoming: Default + Send;

    /// Takes one message in; it may wait in `incoming` until [`Conversation::flush`].
    fn hear(&self, message: Message<'_>, incoming: &mut Self::Incoming)
    -> impl Future<Output = Result<(), End>> + Send;

    /// Nothing more has arrived: what waits is taken in now.
    fn flush(&self, incoming: &mut Self::Incoming) -> impl Future<Output = ()> + Send;

    /// Sends what the peer is owed as it becomes due, until there is a reason to end.
    fn owe(&self) -> impl Future<Output = End> + Send;

    /// The connection is over.
    fn close(&self);
}

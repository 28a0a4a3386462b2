//! Bounds on what comes in and what goes out, the same for every dialect.

/// Bytes of a frame or body that may come in at a publisher's door.
pub const MAX_PUBLISH: usize = 12 * 1024 * 1024;
/// Bytes of a frame or body that may come in anywhere else.
pub const MAX_FRAME: usize = 1024 * 1024;
/// Bytes of a tool's result that are kept.
pub const MAX_RESULT_KEPT: usize = 8 * 1024 * 1024;
/// Bytes of a tool's result that go out; the rest is in the store.
pub const MAX_RESULT_OUT: usize = 64 * 1024;
/// Bytes of any frame that goes out; common clients refuse more than 1 MiB.
pub const MAX_OUT: usize = 768 * 1024;
/// Bytes of the name of an agent, session, stream or request.
pub const MAX_NAME: usize = 256;
/// Bytes of an event's type.
pub const MAX_KIND: usize = 128;
/// Bytes of a timestamp or of a receipt's token.
pub const MAX_SCALAR: usize = 256;
/// Bytes of a message that goes with a decision.
pub const MAX_MESSAGE: usize = 16 * 1024;

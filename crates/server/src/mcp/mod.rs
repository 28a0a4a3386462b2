//! The Model Context Protocol: tools by which any agent asks a person and tells what it does. One handler, behind `/mcp` with the hub
//! at hand, and behind `countersign mcp` with a hub over HTTP.

mod answers;
mod calls;
mod desk;
mod door;
mod handler;
mod here;
mod message;
mod sessions;
mod tools;

pub use desk::{Caller, Desk, Note, Question, Trouble};
pub(crate) use door::{Mcp, note, question, serve};
pub use handler::Handler;
pub use here::named;

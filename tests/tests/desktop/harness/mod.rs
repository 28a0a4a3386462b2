//! What the desktop tests stand on: a desk of their own, the app on it, hands, sight, and the agent at the other end.

mod agent;
mod app;
mod daemon;
mod desk;
mod driver;
mod gvariant;
mod hands;
mod hook;
mod sight;
mod tray;

pub(crate) use agent::Agent;
pub(crate) use app::{App, approval, arguments, command, wait};
pub(crate) use desk::Desk;
pub(crate) use driver::Driven;
pub(crate) use hook::Hook;
pub(crate) use sight::Sight;

//! WebSocket connections: the upgrade, and what a SAM monitor or agent says and hears on one.

mod connection;
mod filter;
mod frame;
mod publisher;
mod upgrade;
mod wire;
mod writer;

pub(crate) use filter::names;
pub(crate) use upgrade::{Place, Role, Settings, bearer, is_upgrade, query, upgrade};

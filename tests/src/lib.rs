//! The harness of the whole-program tests: it starts the real `countersign`, talks to it as anybody could, and leaves no process
//! behind. It asserts nothing about the hub beyond that it starts.

pub mod agents;
pub mod browser;
pub mod command;
pub mod foreign;
pub mod frames;
pub mod hub;
pub mod models;
pub mod raw;
pub mod rest;
pub mod seed;
pub mod terminal;
pub mod tls;
pub mod wait;
pub mod ws;

pub use agents::Home;
pub use command::{Output, cli, run};
pub use foreign::Foreign;
pub use hub::{Folder, Hub, Start};
pub use models::Models;
pub use rest::Reply;
pub use terminal::Terminal;
pub use tls::Authority;
pub use wait::{PATIENCE, until};
pub use ws::{Peer, Ws};

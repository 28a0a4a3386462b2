//! The desktop app from outside: each test starts the real program on an X display, a session bus and a home folder of its own,
//! drives it with real keys and clicks, and asserts what the agent on the socket got. No test reaches the person's own desktop.
#![cfg(target_os = "linux")]

mod harness;

mod connect;
mod dialog;
mod hooks;
mod life;
mod newcomer;
mod notices;
mod right;
mod tray;
mod window;

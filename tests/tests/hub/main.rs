//! Whole-program tests of the headless hub: one module a promise, clients that nobody here wrote where a person would use one.
//! Names that begin with `crash` or `slow` have the machine to themselves (`.config/nextest.toml`).
#![allow(clippy::unwrap_used, missing_docs)]

mod access;
mod amiga;
mod approvals;
mod cloud;
mod codex;
mod commands;
mod connect;
mod crash;
mod failing;
mod foreign;
mod hive;
mod hive_clients;
mod hook_command;
mod hooks;
mod limits;
mod lock;
mod matrix;
mod mcp;
mod otlp;
mod pages;
mod rest;
mod resume;
mod right;
mod run;
mod slow;
mod start;
mod tls;
mod tokens;
mod upstreams;
mod web;
mod web_hooks;
mod webhooks;
mod wire;

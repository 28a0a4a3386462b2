//! The real `claude` and `codex` against a scripted model server: what a person sees and answers in Countersign is what they do.
#![allow(clippy::unwrap_used, missing_docs)]

mod claude;
mod codex;
mod http;
mod outage;
mod policy;
mod scene;
mod terminal;
mod together;

//! The way to a running hub: where it is, how to talk to it, and what it means when it does not answer.

mod address;
mod backoff;
mod client;
mod place;
mod socket;

pub(crate) use address::{Address, query};
pub(crate) use backoff::Backoff;
pub(crate) use client::{Body, Client, HubError, Problem};
pub(crate) use place::{Found, Place};
pub(crate) use socket::{Socket, connect};

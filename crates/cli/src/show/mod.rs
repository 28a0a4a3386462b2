//! How things look in a terminal: text that cannot lie, times, colours, an event in one line.

mod event;
mod gist;
mod paint;
mod when;

pub(crate) use countersign_model::visible::{block as visible, one_line};
pub(crate) use event::event_line;
pub(crate) use gist::gist;
pub(crate) use paint::{Paint, Tone};
pub(crate) use when::{age, clock, duration};

//! Wire formats: bytes to model and back. Without IO and without state: what a connection remembers is the server's.
//! One folder a dialect; what several share (cutting what is too large) stands beside them.

#[cfg(test)]
#[macro_use]
mod said;

pub mod amiga;
pub mod cloud;
pub mod codex;
pub mod fields;
mod fit;
pub mod hive;
pub mod limits;
pub mod sam;
pub mod shrink;

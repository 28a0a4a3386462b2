//! What tests of the other crates share: a clock that stands still, a store in memory whose every step the test takes,
//! a hub in the process, a scripted agent, bounded fuzzing, and values to publish and ask. Development only; nothing here runs by itself.

mod agent;
mod archive;
mod clock;
mod fuzz;
mod polling;
mod rig;
mod values;

pub use agent::{AgentRig, scripted};
pub use archive::{Drained, MemoryArchive};
pub use clock::ManualClock;
pub use fuzz::fuzz;
pub use polling::now_or_never;
pub use rig::Rig;
pub use values::{answer, ask, event, json, session};

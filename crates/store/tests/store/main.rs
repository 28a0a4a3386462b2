//! The store against real files: what it keeps, what it gives back, and what happens when it cannot write or read.

mod failing;
mod history;
mod notes;
mod restart;
mod run;

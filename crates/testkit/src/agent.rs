//! An agent that plays a script, and a session with one that a test holds by its other end.

use std::future::Future;
use std::pin::Pin;

use countersign_hub::agent_loop::{AgentLoop, Script, ScriptedAgent, Spoken, Told, TransportEnd, session};
use futures_util::future::{Either, select};
use serde_json::Value;

/// An agent that plays these turns, each `{"steps": [...]}` ([`countersign_hub::agent_loop::Step`]).
///
/// # Panics
/// When they are no script.
pub fn scripted(turns: Value) -> ScriptedAgent {
    let script = Script {
        turns: serde_json::from_value(turns).expect("turns"),
    };
    ScriptedAgent::new(script).expect("a script that can be played")
}

/// One session with an agent, which lives only while the test waits for a word of it.
pub struct AgentRig {
    life: Pin<Box<dyn Future<Output = ()> + Send>>,
    end: TransportEnd,
}

impl AgentRig {
    /// A new session.
    pub fn new(agent: &impl AgentLoop) -> Self {
        let (end, theirs) = session();
        Self {
            life: agent.live("a session".into(), theirs),
            end,
        }
    }

    /// Tells the agent something.
    ///
    /// # Panics
    /// When it has not listened for long.
    pub fn tell(&self, told: Told) {
        self.end.told.try_send(told).expect("it listens");
    }

    /// Its next word; `None` when it has ended.
    pub async fn next(&mut self) -> Option<Spoken> {
        let word = std::pin::pin!(self.end.spoken.recv());
        // The agent goes first: what it says at this step is heard at this step.
        match select(self.life.as_mut(), word).await {
            Either::Right((word, _)) => word,
            // What it said last is still there.
            Either::Left(((), word)) => word.await,
        }
    }
}

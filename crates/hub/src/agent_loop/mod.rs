//! An agent that a dialect's transport drives: what it is told, what it says. The transport knows no agent, and the agent
//! knows no wire; between them are two bounded channels for each session.

mod script;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use countersign_model::{Json, Scope, Verdict};
use tokio::sync::mpsc;

pub use script::{Script, ScriptError, ScriptedAgent};

/// Words that may wait in each direction of a session; then the one who speaks waits.
const WAITING: usize = 32;

/// A kind of agent. Each session gets one of its own, and nothing crosses.
pub trait AgentLoop: Send + Sync + 'static {
    /// Lives one session. It ends when the transport drops its end: the future may then be dropped at any place. One that ends
    /// before that ends the agent, and the user is told so.
    fn live(&self, session: Arc<str>, end: AgentEnd) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// What an agent is told.
#[derive(Clone, Debug)]
pub enum Told {
    /// The user's turn is over, the agent's begins. It ends with [`Spoken::Finished`] or [`Spoken::Failed`]; no other input comes before.
    Input {
        /// What the user says: items as the Responses API has them, as they came.
        items: Vec<Json>,
        /// The response that the user goes on from.
        previous_response_id: Option<String>,
    },
    /// The answer to a question. There is one to each, in any order.
    Decision(Ruling),
    /// The user wants to know what a question is about. It stays open; the agent says what it has to say as an item.
    Explain {
        /// The question.
        question: Arc<str>,
    },
    /// A person stopped the session: the agent ends its turn, and runs nothing more.
    Cancel,
}

/// An answer to an agent's question.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// The question.
    pub question: Arc<str>,
    /// Approve, deny, or stop, which also ends the turn.
    pub verdict: Verdict,
    /// How far it reaches.
    pub scope: Scope,
    /// A word to the agent.
    pub message: Option<String>,
    /// The arguments to run with in place of those that were asked about: `command` and `applyPatch`. An agent that cannot run
    /// them runs nothing.
    pub arguments: Option<Json>,
    /// The patch that came with the answer, as it came.
    pub apply_patch: Option<Json>,
}

/// What an agent says.
#[derive(Clone, Debug)]
pub enum Spoken {
    /// An item of its response, an object as the Responses API has it.
    Item(Json),
    /// Whether it is at work.
    Loading(bool),
    /// It wants to run something, and waits for the decision.
    Ask(Inquiry),
    /// Something went wrong, and the turn goes on.
    Error {
        /// What.
        message: String,
        /// More about it.
        details: Option<Json>,
    },
    /// The turn is over and went well, or was stopped.
    Finished {
        /// Names the response; the user may go on from it.
        response_id: String,
    },
    /// The turn is over and went badly.
    Failed {
        /// Why.
        message: String,
        /// More about it.
        details: Option<Json>,
    },
}

/// What an agent wants to run.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// Names the question, within the session.
    pub question: Arc<str>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The files that it would change.
    pub apply_patch: Option<Json>,
    /// Where it would run.
    pub cwd: Option<String>,
    /// The function call that it is for.
    pub call_id: Option<String>,
}

/// The agent's end of a session.
#[derive(Debug)]
pub struct AgentEnd {
    /// `None` when the session is over.
    pub told: mpsc::Receiver<Told>,
    /// Fails when the session is over.
    pub spoken: mpsc::Sender<Spoken>,
}

/// The transport's end of a session.
#[derive(Debug)]
pub struct TransportEnd {
    /// To the agent.
    pub told: mpsc::Sender<Told>,
    /// From the agent.
    pub spoken: mpsc::Receiver<Spoken>,
}

/// The two ends of a new session.
pub fn session() -> (TransportEnd, AgentEnd) {
    let (told, hears) = mpsc::channel(WAITING);
    let (speaks, spoken) = mpsc::channel(WAITING);
    let transport = TransportEnd { told, spoken };
    let agent = AgentEnd {
        told: hears,
        spoken: speaks,
    };
    (transport, agent)
}

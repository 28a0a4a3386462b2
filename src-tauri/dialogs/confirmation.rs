//! What a person is asked to confirm: a local program that wants the approver's right, and stopping everything.
//! Whoever asks waits for the reply; refusing is the default everywhere.

use std::future::Future;
use std::pin::Pin;

use countersign_model::{SessionView, Verdict};
use countersign_server::{Confirm, ConfirmAsk, Role, TokenWish};
use tokio::sync::{mpsc, oneshot};

use super::question::Question;
use super::sections::Section;
use countersign_model::visible;

/// Confirmations that may wait for their turn. More are refused at once.
const MOST_WAITING: usize = 4;
/// Sessions that are named one by one.
const MOST_NAMED: usize = 12;

/// A yes-or-no question of the program's own.
#[derive(Clone, Debug)]
pub(crate) struct Confirmation {
    /// One line, ours alone.
    pub(crate) heading: &'static str,
    /// What it means; names in it are made visible.
    pub(crate) text: String,
    /// What it is about, in the agent's words.
    pub(crate) sections: Vec<Section>,
    /// The word for yes; without one there is nothing to allow.
    pub(crate) yes: Option<&'static str>,
    /// The word for no.
    pub(crate) no: &'static str,
}

impl Confirmation {
    /// A local program asks for the approver's right.
    pub(crate) fn of(ask: ConfirmAsk) -> Self {
        match ask {
            ConfirmAsk::Dashboard => Self {
                heading: "Let a browser answer approvals?",
                text: "A program on this computer asked for a link to the web monitor that may approve, deny and stop. Allow \
                       it only if you ran `countersign dashboard` yourself just now: an agent could run it too."
                    .into(),
                sections: Vec::new(),
                yes: Some("Allow"),
                no: "Refuse",
            },
            ConfirmAsk::Token(wish) => Self::of_token(&wish),
            ConfirmAsk::Answer { approval, decision } => Self::of_answer(&Question::of(&approval), decision),
        }
    }

    fn of_token(wish: &TokenWish) -> Self {
        let roles: Vec<_> = wish
            .roles
            .iter()
            .map(|role| match role {
                Role::Agent => "publish and ask",
                Role::Monitor => "read",
                Role::Approver => "approve, deny and stop",
            })
            .collect();
        let streams = if wish.streams.is_empty() {
            "in all streams".to_owned()
        } else {
            format!("in the streams {}", visible::short(&wish.streams.join(", "), 300))
        };
        let subject =
            (wish.subject.as_deref()).map_or_else(String::new, |name| format!(" for {}", visible::short(name, 100)));
        let hours = (wish.ttl + 1800) / 3600;
        let time = if hours < 1 {
            "an hour at most".to_owned()
        } else {
            format!("about {hours} h")
        };
        Self {
            heading: "Give a program a token that may answer?",
            text: format!(
                "A program on this computer asked for a token{subject} that may {} {streams}, for {time} or until Countersign \
                 closes. Allow it only if you ran `countersign token create` yourself just now: an agent could run it too.",
                roles.join(", ")
            ),
            sections: Vec::new(),
            yes: Some("Allow"),
            no: "Refuse",
        }
    }

    fn of_answer(question: &Question, decision: Verdict) -> Self {
        let heading = match decision {
            Verdict::Approve => "Let a program approve this call?",
            Verdict::Deny => "Let a program deny this call?",
            Verdict::Stop => "Let a program stop this session?",
        };
        let asks = format!(
            "{} (session {}) asks to run {}{}.",
            visible::line(&question.agent),
            visible::line(&question.session),
            visible::line(&question.tool),
            question
                .cwd
                .as_deref()
                .map_or_else(String::new, |cwd| format!(" in {}", visible::line(cwd))),
        );
        // Approved without answers, an agent's own questions are not answered at all.
        let unseen = decision == Verdict::Approve && (question.approves.is_none() || !question.choices.is_empty());
        let warning = if unseen {
            "It cannot be shown whole here, so it can be approved in the window alone."
        } else {
            "A program on this computer wants to answer it. Allow it only if you ran `countersign answer` yourself just now: \
             an agent could run it too."
        };
        Self {
            heading,
            text: format!("{asks}\n\n{warning}"),
            sections: question.sections.clone(),
            yes: if unseen { None } else { Some("Allow") },
            no: "Refuse",
        }
    }

    /// The tray's "Stop all"; `left` more run whose agents cannot be stopped.
    pub(crate) fn of_stop_all(sessions: &[SessionView], left: usize) -> Self {
        let left = match left {
            0 => String::new(),
            1 => "\n\nOne more session is passed over: its agent cannot be stopped from here.".into(),
            _ => format!("\n\n{left} more sessions are passed over: their agents cannot be stopped from here."),
        };
        if sessions.is_empty() {
            return Self {
                heading: "Nothing to stop",
                text: format!("No session is running that could be stopped.{left}"),
                sections: Vec::new(),
                yes: None,
                no: "Close",
            };
        }
        let named = sessions.iter().take(MOST_NAMED).map(|view| {
            let task = view
                .task
                .as_deref()
                .map_or_else(String::new, |task| format!(" ({})", visible::short(task, 60)));
            format!(
                "•  {} / {}{task}",
                visible::short(&view.agent, 60),
                visible::short(&view.session, 60)
            )
        });
        let more = sessions.len().saturating_sub(MOST_NAMED);
        let more = (more > 0).then(|| format!("•  and {more} more"));
        let list: Vec<_> = named.chain(more).collect();
        Self {
            heading: if sessions.len() == 1 {
                "Stop this session?"
            } else {
                "Stop all of these sessions?"
            },
            text: format!(
                "{}\n\nEach run ends, its waiting requests are answered with stop, and later ones too until you lift the stop \
                 in the window.{left}",
                list.join("\n")
            ),
            sections: Vec::new(),
            yes: Some("Stop all"),
            no: "Cancel",
        }
    }
}

/// A confirmation with the place its reply goes to.
#[derive(Debug)]
pub(crate) struct Confirming {
    pub(crate) confirmation: Confirmation,
    pub(crate) reply: oneshot::Sender<bool>,
}

/// Asks for confirmations from anywhere in the program.
#[derive(Clone, Debug)]
pub(crate) struct Confirmer {
    line: mpsc::Sender<Confirming>,
}

impl Confirmer {
    /// A confirmer, and the line that the dialogs serve.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Confirming>) {
        let (line, confirms) = mpsc::channel(MOST_WAITING);
        (Self { line }, confirms)
    }

    /// Asks, and waits for the reply. A full line is a no.
    pub(crate) async fn ask(&self, confirmation: Confirmation) -> bool {
        let (reply, answer) = oneshot::channel();
        match self.line.try_send(Confirming { confirmation, reply }) {
            Ok(()) => answer.await.unwrap_or(false),
            Err(_) => false,
        }
    }
}

impl Confirm for Confirmer {
    fn confirm(&self, ask: ConfirmAsk) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        let this = self.clone();
        Box::pin(async move { this.ask(Confirmation::of(ask)).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::approval;

    fn answer(decision: Verdict, arguments: &str) -> Confirmation {
        Confirmation::of(ConfirmAsk::Answer {
            approval: Box::new(approval("a", "bash", arguments)),
            decision,
        })
    }

    #[test]
    fn an_answer_by_a_program_shows_the_whole_call() {
        let shown = answer(Verdict::Approve, r#"{"command":"rm -rf build"}"#);
        assert_eq!(shown.yes, Some("Allow"));
        assert_eq!(shown.sections[0].text, "rm -rf build");
        assert!(shown.text.starts_with("sam (session s1) asks to run bash."));
    }

    #[test]
    fn a_token_that_may_answer_is_named_with_all_it_may_do() {
        let shown = Confirmation::of(ConfirmAsk::Token(TokenWish {
            roles: vec![Role::Monitor, Role::Approver],
            streams: vec!["a\u{202e}b".into()],
            subject: Some("ada".into()),
            ttl: 86_400,
        }));
        for part in ["ada", "approve, deny and stop", "about 24 h"] {
            assert!(shown.text.contains(part), "{part} in {}", shown.text);
        }
        assert!(!shown.text.contains('\u{202e}'));
    }

    #[test]
    fn what_cannot_be_shown_whole_cannot_be_approved_by_a_program() {
        let long = format!(r#"{{"command":"{}"}}"#, "x".repeat(5_000));
        assert_eq!(answer(Verdict::Approve, &long).yes, None);
        assert_eq!(answer(Verdict::Deny, &long).yes, Some("Allow"));
    }

    #[test]
    fn stopping_all_names_what_will_be_stopped() {
        let views: Vec<_> = (0..14).map(|n| crate::testing::view("sam", &format!("s{n}"))).collect();
        let shown = Confirmation::of_stop_all(&views, 2);
        for part in ["sam / s0", "and 2 more", "2 more sessions are passed over"] {
            assert!(shown.text.contains(part), "{part} in {}", shown.text);
        }
        assert_eq!(Confirmation::of_stop_all(&[], 0).yes, None);
    }

    #[tokio::test]
    async fn a_full_line_or_a_dropped_reply_is_a_no() {
        let (confirmer, mut line) = Confirmer::new();
        let asked = tokio::spawn({
            let confirmer = confirmer.clone();
            async move { confirmer.confirm(ConfirmAsk::Dashboard).await }
        });
        drop(line.recv().await);
        assert!(!asked.await.unwrap());
        drop(line);
        assert!(!confirmer.confirm(ConfirmAsk::Dashboard).await);
    }
}

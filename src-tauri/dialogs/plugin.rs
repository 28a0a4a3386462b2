//! Native dialogs where tauri-plugin-dialog serves (macOS, Windows). Its first button answers Return and its third Escape and
//! closing, it has no inert time and cannot be taken away, so Stop and all that is long are left to the window.

use tauri::{AppHandle, Runtime};
use tauri_plugin_dialog::{DialogExt, MessageDialogBuilder, MessageDialogButtons, MessageDialogResult};
use tokio::sync::oneshot;

use super::asker::{Asker, At, Outcome, Said};
use super::confirmation::Confirmation;
use super::question::Question;
use super::sections::Section;
use countersign_model::Verdict;
use countersign_model::visible;

const STOP: &str = "Stop";
const MORE: &str = "More…";

/// Asks through the plugin.
pub(super) struct PluginAsker<R: Runtime> {
    app: AppHandle<R>,
}

impl<R: Runtime> PluginAsker<R> {
    pub(super) fn new(app: &AppHandle<R>) -> Self {
        Self { app: app.clone() }
    }

    fn message(&self, title: &str, text: String) -> MessageDialogBuilder<R> {
        self.app.dialog().message(text).title(title)
    }
}

impl<R: Runtime> Asker for PluginAsker<R> {
    fn ask(&self, question: Question, behind: usize) -> oneshot::Receiver<Outcome> {
        let (outcome, ended) = oneshot::channel();
        // Its answers carry no permissions to keep: those are in the window, as are answers to an agent's own questions.
        let approves = question.approves.filter(|_| question.choices.is_empty());
        let denies = question.denies;
        let second = approves.or(question.stops.then_some(STOP));
        let buttons = match second {
            Some(second) => MessageDialogButtons::YesNoCancelCustom(denies.into(), second.into(), MORE.into()),
            None => MessageDialogButtons::OkCancelCustom(denies.into(), MORE.into()),
        };
        let title = "Countersign: approval";
        self.message(title, words(&question, behind))
            .buttons(buttons)
            .show_with_result(move |result| {
                let verdict = match result {
                    MessageDialogResult::Custom(word) if word == denies => Some(Verdict::Deny),
                    MessageDialogResult::Custom(word) if Some(&*word) == approves => Some(Verdict::Approve),
                    MessageDialogResult::Custom(word) if Some(&*word) == second => Some(Verdict::Stop),
                    _ => None,
                };
                let said = verdict.map_or(Outcome::Show(At::Request), |verdict| {
                    Outcome::Answer(Said::only(verdict))
                });
                let _ = outcome.send(said);
            });
        ended
    }

    fn behind(&self, _count: usize) {}

    fn confirm(&self, confirmation: Confirmation) -> oneshot::Receiver<bool> {
        let (said, answer) = oneshot::channel();
        let text = format!("{}\n\n{}", confirmation.text, blocks(&confirmation.sections));
        let message = self.message(confirmation.heading, text);
        let Some(yes) = confirmation.yes else {
            message
                .buttons(MessageDialogButtons::OkCustom(confirmation.no.into()))
                .show(move |_| {
                    let _ = said.send(false);
                });
            return answer;
        };
        // The first button answers Return: so it is the no.
        let buttons = MessageDialogButtons::OkCancelCustom(confirmation.no.into(), yes.into());
        message.buttons(buttons).show_with_result(move |result| {
            let _ = said.send(result == MessageDialogResult::Custom(yes.into()));
        });
        answer
    }

    /// It cannot be taken away; what it says too late changes nothing.
    fn withdraw(&self) {}
}

fn words(question: &Question, behind: usize) -> String {
    let mut words = format!(
        "{} {} {}\n",
        question.who(),
        question.asks,
        visible::line(&question.tool)
    );
    words.push_str(&format!("session: {}\n", visible::line(&question.session)));
    if let Some(cwd) = &question.cwd {
        words.push_str(&format!("folder: {}\n", visible::line(cwd)));
    }
    if let Some(expires) = question.expires_at {
        let seconds = (expires.0 - question.asked_at.0) / 1000;
        words.push_str(&format!("expires: {seconds} s after it was asked\n"));
    }
    if let Some(says) = &question.says {
        words.push_str(&format!("agent says: “{says}”\n"));
    }
    for choice in &question.choices {
        words.push_str(&format!("\n{}\n", visible::line(&choice.question)));
        for offer in &choice.options {
            words.push_str(&format!("    • {}\n", visible::line(&offer.label)));
        }
    }
    if !question.choices.is_empty() {
        words.push_str("\nIt is answered in the window.\n");
    }
    words.push_str(&format!("\n{}", blocks(&question.sections)));
    if let Some(why) = question.elsewhere() {
        words.push_str(&format!("\n{why}\n"));
    }
    if !question.grants.is_empty() || question.more_grants > 0 {
        words.push_str("\nWhat the agent would remember from now on can be chosen in the window.\n");
    }
    if question.edits {
        words.push_str("\nWhat runs can be changed in the window.\n");
    }
    if behind > 0 {
        words.push_str(&format!("\n{behind} more in line.\n"));
    }
    words
}

fn blocks(sections: &[Section]) -> String {
    let block = |section: &Section| {
        let text = visible::block(&section.text).replace('\n', "\n    ");
        format!("{}\n    {text}\n", section.heading)
    };
    sections.iter().map(block).collect()
}

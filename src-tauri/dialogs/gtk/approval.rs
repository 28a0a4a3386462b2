//! The approval dialog: one question, three answers, nothing preset.

use std::cell::RefCell;
use std::rc::Rc;

use countersign_model::{Millis, Verdict};
use gtk::glib::{self, Propagation};
use gtk::prelude::*;
use tokio::sync::oneshot;

use super::guard::Guard;
use super::parts;
use crate::dialogs::asker::Outcome;
use crate::dialogs::question::Question;
use countersign_model::visible;

/// Shown in the title bar: never a word of the agent's.
const TITLE: &str = "Countersign: approval";

/// A question on the screen.
pub(super) struct ApprovalDialog {
    window: gtk::Window,
    behind: gtk::Label,
    ending: Ending,
    _guard: Rc<Guard>,
}

/// Where the outcome goes, once.
#[derive(Clone)]
struct Ending(Rc<RefCell<Option<oneshot::Sender<Outcome>>>>);

impl Ending {
    fn send(&self, outcome: Outcome) {
        if let Some(ending) = self.0.take() {
            // A receiver that is gone has no use for it.
            let _ = ending.send(outcome);
        }
    }
}

impl ApprovalDialog {
    /// Shows `question`.
    pub(super) fn open(
        parent: Option<&gtk::Window>,
        question: &Question,
        behind: usize,
        outcome: oneshot::Sender<Outcome>,
    ) -> Self {
        let ending = Ending(Rc::new(RefCell::new(Some(outcome))));
        let window = parts::window(parent, TITLE);
        // For window rules and tests: which request this is.
        window.set_role(&question.id);
        let count = parts::text("", Some("countersign-behind"));
        count.set_no_show_all(true);
        count.set_valign(gtk::Align::Start);
        let call = parts::call(&question.sections);

        let page = parts::page();
        page.add(&head(question, &count));
        page.add(&parts::facts(&facts(question)));
        page.add(&call);
        if !question.whole {
            let words = "This is only its beginning. The request is too long to show whole here, so it can be approved in the \
                         window alone, which shows all of it.";
            page.add(&parts::text(words, None));
        }

        let stop = parts::button(
            "Stop",
            "Ends the run: this call and every later one of the session, until you lift it",
        );
        stop.style_context().add_class("destructive-action");
        let deny = parts::button("Deny", "This call does not run; the agent goes on without it");
        let (last, outcome) = if question.whole {
            let approve = parts::button("Approve", "This call runs, exactly as shown, this once");
            (approve, Outcome::Answer(Verdict::Approve))
        } else {
            (
                parts::button("Show", "Shows the whole request in the window"),
                Outcome::Show,
            )
        };
        page.add(&parts::answers(&[&stop], &[&deny, &last]));
        window.add(&page);

        let guard = Guard::new(&window, &call, vec![stop.clone(), deny.clone(), last.clone()]);
        for (button, outcome) in [
            (&stop, Outcome::Answer(Verdict::Stop)),
            (&deny, Outcome::Answer(Verdict::Deny)),
            (&last, outcome),
        ] {
            let (guard, ending, window) = (Rc::downgrade(&guard), ending.clone(), window.downgrade());
            button.connect_clicked(move |_| {
                if !guard.upgrade().is_some_and(|guard| guard.is_open()) {
                    return;
                }
                ending.send(outcome);
                if let Some(window) = window.upgrade() {
                    parts::take_away(&window);
                }
            });
        }
        let closed = ending.clone();
        window.connect_delete_event(move |_, _| {
            closed.send(Outcome::Closed);
            Propagation::Proceed
        });

        let dialog = Self {
            window,
            behind: count,
            ending,
            _guard: guard,
        };
        dialog.behind(behind);
        call.grab_focus();
        dialog.window.show_all();
        dialog.window.present();
        dialog
    }

    /// Says how many more stand in line.
    pub(super) fn behind(&self, count: usize) {
        let words = if count == 1 {
            "1 more waits".into()
        } else {
            format!("{count} more wait")
        };
        self.behind.set_text(&words);
        self.behind.set_visible(count > 0);
    }

    /// Takes it away unanswered. Afterwards nothing happens.
    pub(super) fn withdraw(&self) {
        if self.ending.0.borrow().is_some() {
            self.ending.send(Outcome::Withdrawn);
            parts::take_away(&self.window);
        }
    }
}

fn head(question: &Question, behind: &gtk::Label) -> gtk::Box {
    let words = gtk::Box::new(gtk::Orientation::Vertical, 2);
    words.add(&parts::text(
        &format!("{} asks to run", visible::line(&question.agent)),
        None,
    ));
    words.add(&parts::text(&visible::line(&question.tool), Some("countersign-tool")));
    let head = gtk::Box::new(gtk::Orientation::Horizontal, 14);
    head.pack_start(&parts::mark(), false, false, 0);
    head.pack_start(&words, true, true, 0);
    head.pack_end(behind, false, false, 0);
    head
}

fn facts(question: &Question) -> Vec<(&'static str, String)> {
    let mut facts = vec![("session", visible::line(&question.session))];
    if let Some(cwd) = &question.cwd {
        facts.push(("folder", visible::line(cwd)));
    }
    let mut asked = at(question.asked_at);
    if let Some(expires) = question.expires_at {
        asked = format!("{asked}, expires {}", at(expires));
    }
    facts.push(("asked", asked));
    if let Some(says) = &question.says {
        facts.push(("agent says", format!("“{says}”")));
    }
    facts
}

/// A time of day, where the person is.
fn at(time: Millis) -> String {
    let local = glib::DateTime::from_unix_local(time.0.div_euclid(1000)).ok();
    local
        .and_then(|local| local.format("%H:%M:%S").ok())
        .map_or_else(|| time.to_rfc3339(), Into::into)
}

//! The approval dialog: one question, the answers that its agent can carry out, nothing preset.

use std::cell::RefCell;
use std::rc::Rc;

use countersign_model::{Millis, Verdict};
use gtk::glib::{self, Propagation};
use gtk::prelude::*;
use tokio::sync::oneshot;

use super::choices::Asked;
use super::guard::Guard;
use super::parts;
use crate::dialogs::asker::{At, Outcome, Said};
use crate::dialogs::choices::answered;
use crate::dialogs::question::{PLAN, Question};
use countersign_model::visible;

/// What a word to the agent may take, in characters.
const MOST_NOTE: i32 = 2000;

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
        let asked = Asked::new(&question.choices);

        let page = parts::page();
        let head = head(question, &count);
        page.add(&head);
        page.add(&parts::facts(&facts(question)));
        if !question.choices.is_empty() {
            page.add(&parts::scroller(&asked.page));
        }
        page.add(&call);
        // Has the focus while nothing that could be pressed has it.
        let neutral: gtk::Widget = if question.sections.is_empty() {
            call.set_no_show_all(true);
            head.set_can_focus(true);
            head.upcast()
        } else {
            call.upcast()
        };
        if let Some(why) = question.elsewhere() {
            page.add(&parts::text(why, None));
        }
        let grants = grants(question);
        if let Some(offer) = offer(question, &grants) {
            page.add(&offer);
        }

        let note = parts::note("Note to the agent", MOST_NOTE);
        let answers = buttons(question);
        let (left, right): (Vec<_>, Vec<_>) = answers.iter().partition(|(act, _)| *act == Act::Answer(Verdict::Stop));
        let right: Vec<_> = right.iter().map(|(_, button)| button).collect();
        let missing = parts::text("", Some("countersign-dim"));
        missing.set_no_show_all(true);
        let foot = gtk::Box::new(gtk::Orientation::Vertical, 10);
        foot.add(&missing);
        foot.add(&note);
        let row = parts::answers(left.first().map(|(_, stop)| stop), &right);
        foot.add(&row);
        #[expect(
            deprecated,
            reason = "GTK 3 has no other way: Tab goes to the answers before the word that goes with them"
        )]
        foot.set_focus_chain(&[row.upcast(), note.clone().upcast()]);
        page.add(&foot);
        window.add(&page);

        let ticks: Rc<[(u32, gtk::CheckButton)]> = grants.into();
        let guarded = answers.iter().map(|(_, button)| button.clone());
        let guarded = guarded.chain(ticks.iter().map(|(_, tick)| tick.clone().upcast()));
        let guarded = guarded.chain(asked.buttons());
        let notes = asked.entries().chain([&note]).cloned().collect();
        let guard = Guard::new(&window, &neutral, notes, guarded.collect());
        let asked = Rc::new(asked);
        let arguments = question.arguments.clone();
        for (act, button) in answers {
            let (guard, ending, window) = (Rc::downgrade(&guard), ending.clone(), window.downgrade());
            let (ticks, note, asked) = (ticks.clone(), note.clone(), asked.clone());
            let (arguments, missing) = (arguments.clone(), missing.clone());
            button.connect_clicked(move |_| {
                if !guard.upgrade().is_some_and(|guard| guard.is_open()) {
                    return;
                }
                let answers = if act == Act::Answer(Verdict::Approve) {
                    asked.answers()
                } else {
                    Ok(Vec::new())
                };
                let answers = match answers {
                    Ok(answers) => answers,
                    Err(words) => {
                        missing.set_text(&words);
                        missing.show();
                        return;
                    }
                };
                ending.send(match act {
                    Act::Show(at) => Outcome::Show(at),
                    Act::Answer(verdict) => Outcome::Answer(Said {
                        verdict,
                        grants: ticked(verdict, &ticks),
                        arguments: (!answers.is_empty()).then(|| answered(&arguments, answers)).flatten(),
                        message: Some(note.text().trim().to_owned()).filter(|note| !note.is_empty()),
                    }),
                });
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
        neutral.grab_focus();
        dialog.window.show_all();
        dialog.window.present();
        glib::idle_add_local_once(parts::end_tooltips);
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

/// What a button does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Answer(Verdict),
    Show(At),
}

/// From left to right: stop where there is one, edit where it can be, deny, and approve or show.
fn buttons(question: &Question) -> Vec<(Act, gtk::Button)> {
    let stop = question.stops.then(|| {
        let meaning = "Ends the run: this call and every later one of the session, until you lift it";
        let stop = parts::button("Stop", meaning);
        stop.style_context().add_class("destructive-action");
        (Act::Answer(Verdict::Stop), stop)
    });
    let edit = question.edits.then(|| {
        let meaning = "Goes to the window, where you change what runs before you approve it";
        (Act::Show(At::Edit), parts::button("Edit…", meaning))
    });
    let deny = parts::button(question.denies, "This call does not run; the agent goes on without it");
    let last = match question.approves {
        Some(word) => {
            let approve = parts::button(word, "This call runs, exactly as shown, this once");
            (Act::Answer(Verdict::Approve), approve)
        }
        None => {
            let show = parts::button("Show", "Shows the whole request in the window");
            (Act::Show(At::Request), show)
        }
    };
    let deny = (Act::Answer(Verdict::Deny), deny);
    stop.into_iter().chain(edit).chain([deny, last]).collect()
}

/// A tick for each permission that the agent would keep, none of them set.
fn grants(question: &Question) -> Vec<(u32, gtk::CheckButton)> {
    let ticks = question
        .grants
        .iter()
        .map(|(place, words)| (*place, parts::tick(words)));
    ticks.collect()
}

fn offer(question: &Question, ticks: &[(u32, gtk::CheckButton)]) -> Option<gtk::Box> {
    if ticks.is_empty() && question.more_grants == 0 {
        return None;
    }
    let offer = gtk::Box::new(gtk::Orientation::Vertical, 2);
    if !ticks.is_empty() {
        let heading = format!(
            "With {}, {} will remember:",
            question.approves.unwrap_or("Approve"),
            visible::line(&question.agent)
        );
        offer.add(&parts::text(&heading, Some("countersign-dim")));
    }
    for (_, tick) in ticks {
        offer.add(tick);
    }
    if question.more_grants > 0 {
        let words = format!("{} more can be chosen in the window.", question.more_grants);
        offer.add(&parts::text(&words, Some("countersign-dim")));
    }
    Some(offer)
}

/// What goes with an approval; another answer permits nothing.
fn ticked(verdict: Verdict, ticks: &[(u32, gtk::CheckButton)]) -> Vec<u32> {
    let set = ticks
        .iter()
        .filter(|(_, tick)| verdict == Verdict::Approve && tick.is_active());
    set.map(|(place, _)| *place).collect()
}

fn head(question: &Question, behind: &gtk::Label) -> gtk::Box {
    let words = gtk::Box::new(gtk::Orientation::Vertical, 2);
    let asks = format!("{} {}", question.who(), question.asks);
    // A plan and questions are what they are; for any other call its tool says it.
    if question.tool == PLAN || !question.choices.is_empty() {
        words.set_valign(gtk::Align::Center);
        words.add(&parts::text(&asks, Some("countersign-heading")));
    } else {
        words.add(&parts::text(&asks, None));
        words.add(&parts::text(&visible::line(&question.tool), Some("countersign-tool")));
    }
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

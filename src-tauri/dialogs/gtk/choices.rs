//! An agent's own questions in the dialog: its options, none of them set, and a line for other words.

use gtk::prelude::*;

use super::parts;
use crate::dialogs::choices::{Choice, answer};
use countersign_model::visible;

/// What a person's own words may take, in characters.
const MOST_OWN: i32 = 2000;

/// The questions on the screen.
pub(super) struct Asked {
    pub(super) page: gtk::Box,
    questions: Vec<One>,
}

struct One {
    choice: Choice,
    options: Vec<gtk::ToggleButton>,
    own: gtk::Entry,
}

impl Asked {
    pub(super) fn new(choices: &[Choice]) -> Self {
        let page = gtk::Box::new(gtk::Orientation::Vertical, parts::SPACE);
        let questions = choices.iter().map(|choice| One::new(choice, &page)).collect();
        Self { page, questions }
    }

    /// What a person presses.
    pub(super) fn buttons(&self) -> impl Iterator<Item = gtk::Button> {
        let options = self.questions.iter().flat_map(|one| &one.options);
        options.map(|option| option.clone().upcast())
    }

    /// Where a person writes.
    pub(super) fn entries(&self) -> impl Iterator<Item = &gtk::Entry> {
        self.questions.iter().map(|one| &one.own)
    }

    /// Each question with its answer; one without an answer is an error.
    pub(super) fn answers(&self) -> Result<Vec<(String, String)>, String> {
        let answers = self.questions.iter().map(|one| {
            let places = one.options.iter().enumerate();
            let picked: Vec<_> = places
                .filter(|(_, option)| option.is_active())
                .map(|(place, _)| place)
                .collect();
            let words = answer(&one.choice, &picked, &one.own.text());
            if words.is_empty() {
                Err(format!("No answer yet: {}", visible::short(&one.choice.question, 80)))
            } else {
                Ok((one.choice.question.clone(), words))
            }
        });
        answers.collect()
    }
}

impl One {
    fn new(choice: &Choice, page: &gtk::Box) -> Self {
        let part = gtk::Box::new(gtk::Orientation::Vertical, 4);
        let question = parts::text(&visible::line(&choice.question), Some("countersign-question"));
        if let Some(header) = &choice.header {
            part.add(&parts::text(&visible::short(header, 40), Some("countersign-dim")));
        }
        part.add(&question);
        // Of radio buttons one is always set: it is this one, which nobody sees.
        let none = gtk::RadioButton::new();
        let options: Vec<gtk::ToggleButton> = choice
            .options
            .iter()
            .map(|offer| {
                let option: gtk::ToggleButton = if choice.several {
                    gtk::CheckButton::new().upcast()
                } else {
                    gtk::RadioButton::from_widget(&none).upcast()
                };
                let words = gtk::Box::new(gtk::Orientation::Vertical, 0);
                words.add(&parts::text(&visible::line(&offer.label), None));
                if let Some(description) = &offer.description {
                    words.add(&parts::text(&visible::block(description), Some("countersign-dim")));
                }
                option.add(&words);
                if let Some(accessible) = option.accessible() {
                    accessible.set_name(&visible::line(&offer.label));
                    accessible.set_description(&visible::block(offer.description.as_deref().unwrap_or_default()));
                }
                part.add(&option);
                option
            })
            .collect();
        let several = choice.several;
        let own = parts::note(
            if several {
                "Something more, in your own words"
            } else {
                "Something else, in your own words"
            },
            MOST_OWN,
        );
        part.add(&own);
        page.add(&part);
        if !several {
            // One answer is either an option or the person's own words.
            own.connect_changed(move |own| {
                if !own.text().trim().is_empty() {
                    none.set_active(true);
                }
            });
            for option in &options {
                let own = own.downgrade();
                option.connect_toggled(move |option| {
                    if let Some(own) = own.upgrade().filter(|_| option.is_active()) {
                        own.set_text("");
                    }
                });
            }
        }
        let choice = choice.clone();
        Self { choice, options, own }
    }
}

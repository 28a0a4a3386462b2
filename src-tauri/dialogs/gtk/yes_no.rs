//! A confirmation: no is the default, and what Return, Escape and closing say.

use std::cell::RefCell;
use std::rc::Rc;

use gtk::glib::Propagation;
use gtk::prelude::*;
use tokio::sync::oneshot;

use super::guard::Guard;
use super::parts;
use crate::dialogs::confirmation::Confirmation;

/// Shown in the title bar.
const TITLE: &str = "Countersign: confirm";

/// A confirmation on the screen.
pub(super) struct YesNo {
    window: gtk::Window,
    said: Said,
    _guard: Rc<Guard>,
}

type Said = Rc<RefCell<Option<oneshot::Sender<bool>>>>;

fn say(said: &Said, yes: bool) {
    if let Some(said) = said.take() {
        // Whoever asked may have gone.
        let _ = said.send(yes);
    }
}

impl YesNo {
    /// Shows `confirmation`.
    pub(super) fn open(parent: Option<&gtk::Window>, confirmation: &Confirmation, said: oneshot::Sender<bool>) -> Self {
        let said = Rc::new(RefCell::new(Some(said)));
        let window = parts::window(parent, TITLE);
        let words = gtk::Box::new(gtk::Orientation::Vertical, 8);
        words.add(&parts::text(confirmation.heading, Some("countersign-heading")));
        words.add(&parts::text(&confirmation.text, None));
        let head = gtk::Box::new(gtk::Orientation::Horizontal, 14);
        head.pack_start(&parts::mark(), false, false, 0);
        head.pack_start(&words, true, true, 0);
        let page = parts::page();
        page.add(&head);
        if !confirmation.sections.is_empty() {
            page.add(&parts::call(&confirmation.sections));
        }

        let no = gtk::Button::with_label(confirmation.no);
        let yes = confirmation.yes.map(gtk::Button::with_label);
        // As in the other dialog: what lets something happen is the last.
        let row: Vec<_> = std::iter::once(&no).chain(&yes).collect();
        page.add(&parts::buttons(&row));
        window.add(&page);
        no.set_can_default(true);
        no.grab_default();

        let guard = Guard::new(&window, &no, Vec::new(), yes.iter().cloned().collect());
        for (button, answer) in yes.iter().map(|yes| (yes, true)).chain([(&no, false)]) {
            let (guard, said, window) = (Rc::downgrade(&guard), said.clone(), window.downgrade());
            button.connect_clicked(move |_| {
                if answer && !guard.upgrade().is_some_and(|guard| guard.is_open()) {
                    return;
                }
                say(&said, answer);
                if let Some(window) = window.upgrade() {
                    parts::take_away(&window);
                }
            });
        }
        let closed = said.clone();
        window.connect_delete_event(move |_, _| {
            say(&closed, false);
            Propagation::Proceed
        });
        no.grab_focus();
        window.show_all();
        window.present();
        Self {
            window,
            said,
            _guard: guard,
        }
    }

    /// Takes it away, which says no. Afterwards nothing happens.
    pub(super) fn withdraw(&self) {
        if self.said.borrow().is_some() {
            say(&self.said, false);
            parts::take_away(&self.window);
        }
    }
}

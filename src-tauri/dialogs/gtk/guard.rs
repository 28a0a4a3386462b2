//! Holds the gate before a dialog's buttons: while it is closed they are insensitive and keys go nowhere.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use gtk::gdk::keys::constants as key;
use gtk::glib::{self, Propagation};
use gtk::prelude::*;

use crate::dialogs::gate::Gate;

/// A dialog's gate with what it guards.
pub(super) struct Guard {
    gate: RefCell<Gate>,
    buttons: Vec<gtk::Button>,
    /// Has the focus while no button has.
    neutral: gtk::Widget,
    /// Takes the person's own words: keys are for it while it has the focus, and answers wait until the typing is over.
    notes: Vec<gtk::Entry>,
    /// The button that a person went to with the keyboard; it loses the focus while it is insensitive.
    chosen: RefCell<Option<gtk::Button>>,
    waiting: Cell<bool>,
}

impl Guard {
    /// Guards `buttons` of a window that is about to be shown.
    pub(super) fn new(
        window: &gtk::Window,
        neutral: &impl IsA<gtk::Widget>,
        notes: Vec<gtk::Entry>,
        buttons: Vec<gtk::Button>,
    ) -> Rc<Self> {
        let guard = Rc::new(Self {
            gate: RefCell::new(Gate::new(Instant::now())),
            buttons,
            neutral: neutral.clone().upcast(),
            notes,
            chosen: RefCell::new(None),
            waiting: Cell::new(false),
        });
        guard.shut();
        guard.wait();
        let appeared = Rc::downgrade(&guard);
        window.connect_map_event(move |_, _| {
            appeared.upgrade().inspect(Self::seen_anew);
            Propagation::Proceed
        });
        let focused = Rc::downgrade(&guard);
        window.connect_focus_in_event(move |_, _| {
            focused.upgrade().inspect(Self::seen_anew);
            Propagation::Proceed
        });
        let pressed = Rc::downgrade(&guard);
        window.connect_key_press_event(move |window, event| {
            let guard = pressed.upgrade();
            guard.map_or(Propagation::Stop, |guard| guard.key(window, event.keyval()))
        });
        guard
    }

    /// Whether an answer given now counts. Each button asks, whatever pressed it.
    pub(super) fn is_open(&self) -> bool {
        self.gate.borrow().is_open(Instant::now())
    }

    fn seen_anew(self: &Rc<Self>) {
        self.gate.borrow_mut().restart(Instant::now());
        self.shut();
        self.chosen.replace(None);
        self.wait();
    }

    fn key(self: &Rc<Self>, window: &gtk::Window, pressed: gtk::gdk::keys::Key) -> Propagation {
        if self.is_open() {
            if matches!(pressed, key::Return | key::KP_Enter | key::space | key::KP_Space)
                && let Some(button) = self.focused()
            {
                button.emit_clicked();
                return Propagation::Stop;
            }
            if pressed == key::Escape {
                window.close();
                return Propagation::Stop;
            }
        }
        let may = self.gate.borrow_mut().key(Instant::now());
        let written = pressed != key::Escape && self.writes();
        if !may && !written {
            self.wait();
            return Propagation::Stop;
        }
        // Tab and arrows may move the focus first; then the time runs for what has it.
        let guard = Rc::downgrade(self);
        glib::idle_add_local_once(move || {
            if let Some(guard) = guard.upgrade() {
                guard.shut();
                guard.wait();
            }
        });
        Propagation::Proceed
    }

    /// Somebody writes a word to the agent.
    fn writes(&self) -> bool {
        self.notes.iter().any(WidgetExt::is_focus)
    }

    fn focused(&self) -> Option<&gtk::Button> {
        self.buttons.iter().find(|button| button.is_focus())
    }

    fn shut(&self) {
        if let Some(button) = self.focused() {
            self.chosen.replace(Some(button.clone()));
            self.neutral.grab_focus();
        }
        for button in &self.buttons {
            button.set_sensitive(false);
        }
    }

    fn open(&self) {
        for button in &self.buttons {
            button.set_sensitive(true);
        }
        // Not from under the hands of somebody who writes.
        if let Some(chosen) = self.chosen.take()
            && !self.writes()
        {
            chosen.grab_focus();
        }
    }

    /// Opens the buttons when the time has passed; restarts on the way make it later.
    fn wait(self: &Rc<Self>) {
        if self.waiting.replace(true) {
            return;
        }
        let left = self.gate.borrow().opens_in(Instant::now()) + Duration::from_millis(1);
        let guard = Rc::downgrade(self);
        glib::timeout_add_local_once(left, move || {
            let Some(guard) = guard.upgrade() else { return };
            guard.waiting.set(false);
            if guard.is_open() {
                guard.open();
            } else {
                guard.wait();
            }
        });
    }
}

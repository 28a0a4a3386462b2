//! Native dialogs on Linux, in the GTK that Tauri itself runs on. All of it lives on the main thread, fed by one channel.

mod approval;
mod choices;
mod guard;
mod parts;
mod yes_no;

use tauri::{AppHandle, Manager, Runtime};
use tokio::sync::{mpsc, oneshot};

use super::asker::{Asker, Outcome};
use super::confirmation::Confirmation;
use super::question::Question;
use crate::window;
use approval::ApprovalDialog;
use yes_no::YesNo;

/// Orders that may wait for the main thread. When it is full, an order is dropped: a dialog does not open (the request waits
/// in the window), a count is old, a late answer changes nothing.
const MOST_ORDERS: usize = 64;

enum Order {
    Ask(Box<Question>, usize, oneshot::Sender<Outcome>),
    Behind(usize),
    Confirm(Confirmation, oneshot::Sender<bool>),
    Withdraw,
}

/// Opens GTK windows on the main thread.
pub(super) struct GtkAsker {
    orders: mpsc::Sender<Order>,
}

impl GtkAsker {
    /// Starts the main thread's part.
    pub(super) fn start<R: Runtime>(app: &AppHandle<R>) -> Self {
        let (orders, inbox) = mpsc::channel(MOST_ORDERS);
        let handle = app.clone();
        let started = app.run_on_main_thread(move || {
            gtk::glib::MainContext::default().spawn_local(serve(handle, inbox));
        });
        if let Err(error) = started {
            tracing::error!(%error, "there will be no dialogs; requests wait in the window");
        }
        Self { orders }
    }

    fn order(&self, order: Order) {
        if self.orders.try_send(order).is_err() {
            tracing::warn!("the desktop is too busy for a dialog");
        }
    }
}

impl Asker for GtkAsker {
    fn ask(&self, question: Question, behind: usize) -> oneshot::Receiver<Outcome> {
        let (outcome, ended) = oneshot::channel();
        self.order(Order::Ask(Box::new(question), behind, outcome));
        ended
    }

    fn behind(&self, count: usize) {
        self.order(Order::Behind(count));
    }

    fn confirm(&self, confirmation: Confirmation) -> oneshot::Receiver<bool> {
        let (said, answer) = oneshot::channel();
        self.order(Order::Confirm(confirmation, said));
        answer
    }

    fn withdraw(&self) {
        self.order(Order::Withdraw);
    }
}

/// The one dialog.
enum Open {
    Nothing,
    Approval(ApprovalDialog),
    YesNo(YesNo),
}

async fn serve<R: Runtime>(app: AppHandle<R>, mut inbox: mpsc::Receiver<Order>) {
    parts::style();
    let mut open = Open::Nothing;
    while let Some(order) = inbox.recv().await {
        match order {
            Order::Ask(question, behind, outcome) => {
                withdraw(&open);
                open = Open::Approval(ApprovalDialog::open(parent(&app).as_ref(), &question, behind, outcome));
            }
            Order::Confirm(confirmation, said) => {
                withdraw(&open);
                open = Open::YesNo(YesNo::open(parent(&app).as_ref(), &confirmation, said));
            }
            Order::Behind(count) => {
                if let Open::Approval(dialog) = &open {
                    dialog.behind(count);
                }
            }
            Order::Withdraw => {
                withdraw(&open);
                open = Open::Nothing;
            }
        }
    }
}

fn withdraw(open: &Open) {
    match open {
        Open::Nothing => {}
        Open::Approval(dialog) => dialog.withdraw(),
        Open::YesNo(dialog) => dialog.withdraw(),
    }
}

/// The main window, if it is on the screen. A dialog of a hidden parent would be hidden with it.
fn parent<R: Runtime>(app: &AppHandle<R>) -> Option<gtk::Window> {
    use gtk::prelude::*;
    let window = app.get_webview_window(window::MAIN)?.gtk_window().ok()?;
    (window.is_visible() && !window.window()?.state().contains(gtk::gdk::WindowState::ICONIFIED))
        .then(|| window.upcast())
}

//! Which hubs' events come in here, and through which upstream: what other hubs are told, so that no circle is closed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_hub::Hub;

/// Hubs behind one upstream that are remembered.
const MAX: usize = 64;

/// The hubs behind each upstream that is attached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail(Arc<Mutex<BTreeMap<String, Vec<Arc<str>>>>>);

impl Trail {
    fn change(&self, hub: &Hub, change: impl FnOnce(&mut BTreeMap<String, Vec<Arc<str>>>) -> bool) {
        let mut behind = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !change(&mut behind) {
            return;
        }
        let mut all: Vec<Arc<str>> = behind.values().flatten().cloned().collect();
        all.sort_unstable();
        all.dedup();
        hub.set_attached(all);
    }

    /// An upstream is attached, and these hubs are behind it.
    pub(crate) fn enter(&self, name: &str, hubs: Vec<Arc<str>>, hub: &Hub) {
        self.change(hub, |behind| {
            behind.insert(name.to_owned(), hubs);
            true
        });
    }

    /// An event came through these, too.
    pub(crate) fn learn(&self, name: &str, hubs: &[Arc<str>], hub: &Hub) {
        self.change(hub, |behind| {
            let Some(known) = behind.get_mut(name) else {
                return false;
            };
            let before = known.len();
            for new in hubs {
                if known.len() < MAX && !known.contains(new) {
                    known.push(new.clone());
                }
            }
            known.len() > before
        });
    }

    /// It is attached no longer.
    pub(crate) fn leave(&self, name: &str, hub: &Hub) {
        self.change(hub, |behind| behind.remove(name).is_some());
    }
}

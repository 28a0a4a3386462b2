//! Events and questions that come in together: all of them enter the log, one after the other, or none does.

use std::sync::Arc;

use countersign_model::{Ask, NewEvent};

use super::publish::publishable;
use super::{AskError, Hub, PublishError, Published, lock};
use crate::archive::Find;
use crate::clock::random_hex;
use crate::registry::Outbox;

/// One of a batch.
#[derive(Debug)]
pub enum Item {
    /// A fact for the log.
    Event(NewEvent),
    /// A question; its asker can come for the answer within the grace time.
    Ask(Box<Ask>),
}

/// Why nothing of a batch was taken in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BatchError {
    /// An event.
    #[error(transparent)]
    Event(#[from] PublishError),
    /// The question at this place of the batch.
    #[error("{1}")]
    Ask(usize, AskError),
}

impl Hub {
    /// Publishes events and asks questions in their order, all or nothing.
    ///
    /// # Errors
    /// When one of them is refused, because of what is known already or because of another of the batch; nothing is recorded then.
    pub async fn publish_all(&self, items: Vec<Item>) -> Result<Published, BatchError> {
        if items.is_empty() {
            return Err(PublishError::Empty.into());
        }
        let mut old = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            old.push(match item {
                Item::Event(event) => {
                    publishable(event)?;
                    None
                }
                Item::Ask(ask) => self.look_up(ask).await.map_err(|error| BatchError::Ask(place, error))?,
            });
        }
        self.room().await;
        let now = self.clock.now();
        let mut registry = lock(&self.state);
        let questions = items.iter().zip(&old).enumerate();
        let questions = questions.filter_map(|(place, (item, old))| match item {
            Item::Ask(ask) => Some((place, &**ask, old.as_ref())),
            Item::Event(_) => None,
        });
        registry
            .judge(questions)
            .map_err(|(place, refused)| BatchError::Ask(place, refused.into()))?;
        let (mut first, mut last) = (None, 0);
        let mut run = Vec::new();
        for (place, (item, old)) in items.into_iter().zip(old).enumerate() {
            let seq = match item {
                Item::Event(event) => {
                    run.push(event);
                    continue;
                }
                Item::Ask(ask) => {
                    first = first.or(self.append_run(&mut run, &mut last));
                    let mut out = Outbox::after(self.log.tail());
                    let id: Arc<str> = format!("apr-{}", random_hex(12)).into();
                    let asked = registry.ask(*ask, old, id, now, &mut out);
                    let id = asked.map_err(|refused| BatchError::Ask(place, refused.into()))?;
                    self.append(out.records);
                    registry.attach(&id);
                    registry.detach(&id, now);
                    registry.get(&id).map_or(0, |approval| approval.seq)
                }
            };
            first.get_or_insert(seq);
            last = last.max(seq);
        }
        first = first.or(self.append_run(&mut run, &mut last));
        self.signal_deadline(&registry);
        Ok(Published {
            first: first.unwrap_or(last),
            last,
        })
    }

    fn append_run(&self, run: &mut Vec<NewEvent>, last: &mut u64) -> Option<u64> {
        if run.is_empty() {
            return None;
        }
        let published = self.append_events(std::mem::take(run));
        *last = (*last).max(published.last);
        Some(published.first)
    }

    /// What the store knows under a question's key, unless that is at hand.
    async fn look_up(&self, ask: &Ask) -> Result<Option<countersign_model::Approval>, AskError> {
        if lock(&self.state).by_key(&ask.agent, &ask.request_id).is_some() {
            return Ok(None);
        }
        let find = Find::Key(ask.agent.clone(), ask.request_id.clone());
        Ok(self.archive.find(find).await?.into_iter().next())
    }
}

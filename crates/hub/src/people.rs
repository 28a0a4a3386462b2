//! Who is there, as presence events say since this run of the hub began: whoever was there before it has to come again.

use std::collections::BTreeMap;

use countersign_model::{Event, Fact, Person, Presence, Seq};

/// How many people are known at once; more are not listed.
const MOST: usize = 500;

const OFFLINE: &str = "offline";

#[derive(Debug)]
pub(crate) struct People {
    at: Seq,
    here: BTreeMap<String, Person>,
}

impl People {
    /// Nobody is there yet; the log ends at `at`.
    pub(crate) fn new(at: Seq) -> Self {
        Self {
            at,
            here: BTreeMap::new(),
        }
    }

    /// Takes in the next event.
    pub(crate) fn apply(&mut self, event: &Event) {
        self.at = event.seq;
        let Some(Fact::Presence { user, status }) = Fact::of(event) else {
            return;
        };
        let status = status.to_lowercase();
        if status == OFFLINE {
            self.here.remove(&user);
            return;
        }
        if let Some(person) = self.here.get_mut(&user) {
            if person.status != status {
                person.status = status;
                person.since = event.time;
            }
            person.seq = event.seq;
        } else if self.here.len() < MOST {
            let person = Person {
                user: user.clone(),
                status,
                since: event.time,
                seq: event.seq,
            };
            self.here.insert(user, person);
        }
    }

    pub(crate) fn presence(&self) -> Presence {
        Presence {
            at: self.at,
            people: self.here.values().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::{Epoch, Millis, kind};
    use countersign_testkit as testkit;
    use serde_json::json;

    use super::*;

    fn says(people: &mut People, seq: Seq, user: &str, status: &str) {
        let said = json!({ "userId": user, "status": status });
        let event = testkit::event(kind::USER_PRESENCE, &said);
        people.apply(&event.placed(seq, Epoch::new("e1"), Millis(1000 * seq.cast_signed())));
    }

    fn here(people: &People) -> Vec<(String, String, i64)> {
        let people = people.presence().people.into_iter();
        people
            .map(|person| (person.user, person.status, person.since.0))
            .collect()
    }

    #[test]
    fn a_person_is_there_from_online_to_offline_with_the_newest_word() {
        let mut people = People::new(4);
        says(&mut people, 5, "grace", "online");
        says(&mut people, 6, "ada", "Online");
        says(&mut people, 7, "grace", "busy");
        says(&mut people, 8, "ada", "online");
        let ada = ("ada".to_owned(), "online".to_owned(), 6000);
        assert_eq!(
            here(&people),
            [ada.clone(), ("grace".to_owned(), "busy".to_owned(), 7000)]
        );
        says(&mut people, 9, "grace", "offline");
        assert_eq!((here(&people), people.presence().at), (vec![ada], 9));
    }

    #[test]
    fn events_of_other_kinds_move_the_place_and_nobody() {
        let mut people = People::new(4);
        let event = testkit::event("note", &json!({ "userId": "ada", "status": "online" }));
        people.apply(&event.placed(5, Epoch::new("e1"), Millis(0)));
        assert_eq!((people.presence().at, people.presence().people.len()), (5, 0));
    }

    #[test]
    fn so_many_people_are_known_and_no_more() {
        let mut people = People::new(0);
        for seq in 1..=2 * MOST as Seq {
            says(&mut people, seq, &format!("user {seq}"), "online");
        }
        assert_eq!(people.presence().people.len(), MOST);
    }
}

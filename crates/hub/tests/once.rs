//! Events that are sent again: recognised by their marks, in one run and after a crash.

use countersign_hub::{Config, Mark, Once};
use countersign_testkit::{Rig, event, now_or_never};
use serde_json::json;

fn send(rig: &Rig, marks: &[u8]) -> Once {
    let events = marks
        .iter()
        .map(|mark| (event("note", &json!({ "mark": mark })), Mark([*mark; 16])))
        .collect();
    now_or_never(rig.hub.publish_once(events))
        .expect("room")
        .expect("published")
}

#[test]
fn what_is_sent_again_is_answered_with_its_first_place() {
    let rig = Rig::new(Config::default());
    assert_eq!(send(&rig, &[1, 2]).places, [(1, true), (2, true)]);
    let again = send(&rig, &[2, 3, 1, 3]);
    assert_eq!(again.places, [(2, false), (3, true), (1, false), (3, false)]);
    assert_eq!((again.last, rig.hub.tail()), (3, 3));
    assert_eq!(rig.hub.seen(Mark([3; 16])), Some(3));
    assert_eq!(rig.hub.seen(Mark([4; 16])), None);
}

#[test]
fn a_crash_forgets_a_mark_only_with_its_event() {
    let rig = Rig::new(Config::default());
    send(&rig, &[1]);
    rig.drain();
    send(&rig, &[2]);
    let rig = rig.crash();
    assert_eq!(send(&rig, &[1, 2]).places, [(1, false), (2, true)]);
}

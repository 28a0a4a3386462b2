//! A stop ends what waits and what comes, and beats an approval on its way.

use super::*;

#[test]
fn a_stop_ends_what_waits_and_what_comes_until_it_is_lifted() {
    let rig = rig();
    let mut one = asked(&rig, ask("r1", "ls"));
    let mut two = asked(&rig, ask("r2", "pwd"));
    let mut elsewhere = asked(
        &rig,
        Ask {
            session: "s2".into(),
            ..ask("r3", "ls")
        },
    );
    give(&rig, &one, answer(Verdict::Stop)).expect("first");
    assert!(
        rig.hub.stopped(&session()).is_none(),
        "agents are told once it is committed"
    );
    rig.drain();
    assert!(rig.hub.stopped(&session()).is_some());
    assert_eq!(
        (status(&mut one), status(&mut two)),
        (Some(Status::Stopped), Some(Status::Stopped))
    );
    assert_eq!(status(&mut elsewhere), None);
    let mut later = asked(&rig, ask("r4", "ls"));
    assert_eq!(status(&mut later), Some(Status::Stopped));
    assert!(rig.hub.resume_session(&session(), Surface::Window));
    assert!(!rig.hub.resume_session(&session(), Surface::Window));
    let mut after = asked(&rig, ask("r5", "ls"));
    assert_eq!(status(&mut after), None);
    assert_eq!(seen(&rig, kind::SESSION_STOPPED).len(), 1);
    assert_eq!(seen(&rig, kind::SESSION_RESUMED).len(), 1);
}

#[test]
fn a_stop_beats_an_approval_until_the_agent_is_being_told() {
    let rig = rig();
    let (mut told, mut overtaken) = (asked(&rig, ask("r1", "ls")), asked(&rig, ask("r2", "pwd")));
    for waiter in [&told, &overtaken] {
        give(&rig, waiter, answer(Verdict::Approve)).expect("first");
    }
    rig.drain();
    assert_eq!(status(&mut told), Some(Status::Approved));
    rig.hub.stop(&session(), Surface::Tray, Some("enough".into()));
    assert_eq!(status(&mut overtaken), None, "the stop is not committed yet");
    rig.drain();
    let stopped = overtaken.claim().expect("committed");
    assert_eq!(stopped.status, Status::Stopped);
    assert_eq!(stopped.decision.expect("decided").message.as_deref(), Some("enough"));
    told.delivered();
    overtaken.delivered();
    rig.drain();
    let rows: Vec<_> = ["r1", "r2"]
        .map(|request| rig.hub.find_key("sam", request).expect("at hand").status)
        .into();
    assert_eq!(rows, [Status::Approved, Status::Stopped]);
}

#[test]
fn a_stop_as_the_answer_ends_each_session_that_asked() {
    let rig = rig();
    let waiter = asked(&rig, ask("r1", "ls"));
    let again = Ask {
        session: "s2".into(),
        ..ask("r1", "ls")
    };
    asked(&rig, again);
    give(&rig, &waiter, answer(Verdict::Stop)).expect("first");
    let mut stopped: Vec<_> = rig
        .hub
        .stops()
        .iter()
        .map(|stop| stop.key.session.to_string())
        .collect();
    stopped.sort();
    assert_eq!(stopped, ["s1", "s2"]);
}

#[test]
fn an_approval_that_could_not_be_written_is_stopped_with_its_session() {
    let rig = rig();
    let mut waiter = asked(&rig, ask("r1", "ls"));
    let mut second = rig.hub.wait_for(waiter.id()).expect("at hand");
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    rig.drain();
    assert_eq!(
        (status(&mut waiter), status(&mut second)),
        (Some(Status::Approved), Some(Status::Approved))
    );
    rig.hub.stop(&session(), Surface::Tray, None);
    let id = waiter.id().clone();
    drop(waiter);
    rig.drain();
    let held = |rig: &Rig| {
        now_or_never(rig.hub.find(&id))
            .expect("at once")
            .expect("at hand")
            .status
    };
    assert_eq!(held(&rig), Status::Approved, "another connection is writing it still");
    drop(second);
    assert_eq!(held(&rig), Status::Stopped);
}

#[test]
fn an_approval_on_its_way_when_the_hub_died_is_not_given_to_a_stopped_session() {
    let rig = rig();
    let mut waiter = asked(&rig, ask("r1", "ls"));
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    rig.drain();
    assert_eq!(status(&mut waiter), Some(Status::Approved));
    rig.hub.stop(&session(), Surface::Tray, None);
    rig.drain();
    let rig = rig.crash();
    rig.drain();
    let mut waiter = put(&rig, ask("r1", "ls"));
    assert_eq!(status(&mut waiter), Some(Status::Stopped));
}

#[test]
fn a_stop_that_overtook_an_uncommitted_approval_is_told_once_the_stop_itself_is_committed() {
    let rig = rig();
    let mut waiter = asked(&rig, ask("r1", "ls"));
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    rig.hub.stop(&session(), Surface::Tray, None);
    rig.archive.step(&rig.hub, 1);
    assert_eq!(status(&mut waiter), None, "only the approval is committed");
    rig.archive.step(&rig.hub, 1);
    assert_eq!(status(&mut waiter), Some(Status::Stopped));
}

#[test]
fn a_stop_put_again_is_told_once_it_is_committed_again() {
    let rig = rig();
    rig.hub.stop(&session(), Surface::Tray, None);
    rig.hub.resume_session(&session(), Surface::Tray);
    rig.hub.stop(&session(), Surface::Tray, None);
    for told in [false, false, true] {
        rig.archive.step(&rig.hub, 1);
        assert_eq!(rig.hub.stopped(&session()).is_some(), told);
    }
}

#[test]
fn an_approval_that_never_reached_its_agent_is_not_given_to_a_stopped_session() {
    let rig = rig();
    let waiter = asked(&rig, ask("r1", "ls"));
    give(&rig, &waiter, answer(Verdict::Approve)).expect("first");
    rig.drain();
    let id = waiter.id().clone();
    drop(waiter);
    rig.clock.advance(60);
    rig.hub.expire();
    rig.drain();
    assert_eq!(
        rig.archive.approval(&id).expect("kept").delivery,
        Delivery::Undeliverable
    );
    let rig = rig.crash();
    rig.hub.stop(&session(), Surface::Tray, None);
    rig.drain();
    let mut waiter = asked(&rig, ask("r1", "ls"));
    assert_eq!((status(&mut waiter), waiter.id()), (Some(Status::Stopped), &id));
}

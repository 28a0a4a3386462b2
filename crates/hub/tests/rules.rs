//! Standing decisions: what they answer, that each answer names its rule, and how they end.

use countersign_hub::{Config, Waiter};
use countersign_model::{Answer, Ask, Decision, Scope, Status, Surface, Verdict, kind};
use countersign_testkit::{Rig, answer, ask, now_or_never, session};

fn rig() -> Rig {
    Rig::new(Config::default())
}

fn asked(rig: &Rig, question: Ask) -> Waiter {
    let waiter = now_or_never(rig.hub.ask(question))
        .expect("room")
        .expect("taken")
        .waiter;
    rig.drain();
    waiter
}

/// A person's answer to a question under that id makes a rule.
fn rule(rig: &Rig, request_id: &str, verdict: Verdict, scope: Scope) {
    let waiter = asked(rig, ask(request_id, "ls"));
    let standing = Answer {
        scope,
        ..answer(verdict)
    };
    now_or_never(rig.hub.answer(waiter.id(), standing))
        .expect("at once")
        .expect("first");
    rig.drain();
}

/// What answers a question without a person.
fn answered(rig: &Rig, question: Ask) -> Option<(Status, Decision)> {
    let approval = asked(rig, question).claim()?;
    Some((approval.status, approval.decision.expect("decided")))
}

fn in_session(session: &str, request_id: &str) -> Ask {
    Ask {
        session: session.into(),
        ..ask(request_id, "ls")
    }
}

#[test]
fn always_answers_the_same_call_in_every_session_of_the_agent_and_names_the_rule() {
    let rig = rig();
    rule(&rig, "r1", Verdict::Approve, Scope::Always);
    let known = rig.hub.rules();
    assert_eq!(known.len(), 1);
    for (request, session) in [("r2", "s1"), ("r3", "s2")] {
        let (status, decision) = answered(&rig, in_session(session, request)).expect("by the rule");
        assert_eq!((status, decision.by), (Status::Approved, Surface::Hub));
        assert_eq!(decision.rule.as_ref(), Some(&known[0].id));
    }
    let committed = rig.archive.committed();
    let by_rule = format!(r#""rule":"{}""#, known[0].id);
    let resolved = committed
        .iter()
        .filter(|entry| *entry.event.kind == *kind::APPROVAL_RESOLVED);
    assert_eq!(
        resolved
            .filter(|entry| entry.event.data.get().contains(&by_rule))
            .count(),
        2
    );
}

#[test]
fn a_rule_fits_one_call_of_one_agent_to_the_letter() {
    let rig = rig();
    rule(&rig, "r1", Verdict::Approve, Scope::Always);
    let others = [
        ask("r2", "ls "),
        Ask {
            agent: "ada".into(),
            ..ask("r3", "ls")
        },
        Ask {
            cwd: Some("/".into()),
            ..ask("r4", "ls")
        },
        Ask {
            tool_name: "Execute_code".into(),
            ..ask("r5", "ls")
        },
    ];
    for other in others {
        assert!(answered(&rig, other).is_none());
    }
}

#[test]
fn for_this_session_means_this_session() {
    let rig = rig();
    rule(&rig, "r1", Verdict::Approve, Scope::Session);
    assert!(answered(&rig, in_session("s1", "r2")).is_some());
    assert!(answered(&rig, in_session("s2", "r3")).is_none());
}

#[test]
fn once_makes_no_rule() {
    let rig = rig();
    rule(&rig, "r1", Verdict::Approve, Scope::Once);
    assert!(rig.hub.rules().is_empty());
    assert!(answered(&rig, ask("r2", "ls")).is_none());
}

#[test]
fn a_no_among_rules_wins_whatever_their_order() {
    for verdicts in [[Verdict::Approve, Verdict::Deny], [Verdict::Deny, Verdict::Approve]] {
        let rig = rig();
        let both = [asked(&rig, ask("r1", "ls")), asked(&rig, ask("r2", "ls"))];
        for (waiter, verdict) in both.iter().zip(verdicts) {
            let always = Answer {
                scope: Scope::Always,
                ..answer(verdict)
            };
            now_or_never(rig.hub.answer(waiter.id(), always))
                .expect("at once")
                .expect("first");
        }
        rig.drain();
        assert_eq!(rig.hub.rules().len(), 2);
        let (status, _) = answered(&rig, ask("r3", "ls")).expect("by a rule");
        assert_eq!(status, Status::Denied);
    }
}

#[test]
fn a_revoked_rule_answers_nothing_and_the_log_says_when_it_ended() {
    let rig = rig();
    rule(&rig, "r1", Verdict::Approve, Scope::Always);
    let id = rig.hub.rules()[0].id.clone();
    assert!(rig.hub.revoke(&id).is_some());
    assert!(rig.hub.revoke(&id).is_none());
    assert!(answered(&rig, ask("r2", "ls")).is_none());
    let kinds: Vec<_> = rig
        .archive
        .committed()
        .iter()
        .map(|entry| entry.event.kind.to_string())
        .collect();
    assert!(kinds.iter().any(|kind| kind == kind::RULE_CREATED) && kinds.iter().any(|kind| kind == kind::RULE_REVOKED));
    let rig = rig.crash();
    assert!(rig.hub.rules().is_empty());
}

#[test]
fn rules_outlive_the_hub() {
    let rig = rig();
    rule(&rig, "r1", Verdict::Deny, Scope::Always);
    let rig = rig.crash();
    assert_eq!(answered(&rig, ask("r2", "ls")).expect("by the rule").0, Status::Denied);
}

#[test]
fn a_stop_goes_before_any_rule() {
    let rig = rig();
    rule(&rig, "r1", Verdict::Approve, Scope::Always);
    rig.hub.stop(&session(), Surface::Tray, None);
    rig.drain();
    assert_eq!(answered(&rig, ask("r2", "ls")).expect("by the stop").0, Status::Stopped);
}

#[test]
fn what_a_rule_approves_is_not_approved_while_the_store_fails() {
    let rig = rig();
    rule(&rig, "r1", Verdict::Approve, Scope::Always);
    rig.archive.fail_commits(true);
    let (status, decision) = answered(&rig, ask("r2", "ls")).expect("at once");
    assert_eq!((status, decision.rule), (Status::Denied, None));
}

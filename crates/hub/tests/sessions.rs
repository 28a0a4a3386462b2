//! What the view of sessions says of runs: started, paused for a person, going on, over; and how far they are.

use countersign_hub::Config;
use countersign_model::{Activity, NewEvent, Origin, SessionView};
use countersign_testkit::{Rig, event, session};
use serde_json::{Value, json};

/// What the session's line says after these events.
async fn after(events: &[(&str, Value)]) -> SessionView {
    let rig = Rig::new(Config::default());
    let events: Vec<_> = events
        .iter()
        .map(|(kind, data)| NewEvent {
            origin: Origin::Hive,
            ..event(kind, data)
        })
        .collect();
    let mut cursor = rig.hub.from_head();
    rig.hub.publish(events).await.expect("published");
    rig.drain();
    let batch = cursor.read(100, usize::MAX).await.expect("read");
    rig.hub.observe(&batch);
    rig.hub.session(&session())
}

async fn check(events: &[(&str, Value)], activity: Activity, task: Option<&str>) {
    let view = after(events).await;
    assert_eq!((view.activity, view.task.as_deref()), (activity, task), "{events:?}");
}

#[tokio::test]
async fn a_run_works_from_its_start_to_its_end() {
    let started = ("execution_started", json!({"input_data": {}}));
    check(std::slice::from_ref(&started), Activity::Working, None).await;
    let completed = ("execution_completed", json!({"output": {}}));
    check(&[started.clone(), completed], Activity::Idle, None).await;
    let failed = ("execution_failed", json!({"error": "no such host"}));
    check(
        &[started.clone(), failed.clone()],
        Activity::Failed,
        Some("no such host"),
    )
    .await;
    check(&[started.clone(), failed, started], Activity::Working, None).await;
}

#[tokio::test]
async fn a_pause_for_a_person_needs_one_until_the_run_goes_on() {
    let started = ("execution_started", json!({}));
    let paused = (
        "execution_paused",
        json!({"node_id": "review", "reason": "HITL: review the draft"}),
    );
    let resumed = (
        "execution_resumed",
        json!({"node_id": "review", "decision": "approved"}),
    );
    check(
        &[started.clone(), paused.clone()],
        Activity::NeedsYou,
        Some("HITL: review the draft"),
    )
    .await;
    check(&[started.clone(), paused.clone(), resumed], Activity::Working, None).await;
    check(
        &[started.clone(), paused, ("execution_failed", json!({}))],
        Activity::Failed,
        None,
    )
    .await;
    let rate = ("execution_paused", json!({"reason": "rate limit"}));
    check(&[started, rate], Activity::Idle, Some("rate limit")).await;
    check(&[("execution_paused", json!({"reason": 7}))], Activity::Idle, Some("7")).await;
}

#[tokio::test]
async fn a_person_is_needed_even_when_the_agent_has_gone_meanwhile() {
    let rig = Rig::new(Config::default());
    let mut cursor = rig.hub.from_head();
    rig.hub.agent_connected(&session(), "c-1");
    let paused = event("execution_paused", &json!({"reason": "human_approval"}));
    rig.hub.publish(vec![paused]).await.expect("published");
    rig.hub.agent_disconnected(&session(), "c-1");
    rig.drain();
    let batch = cursor.read(100, usize::MAX).await.expect("read");
    rig.hub.observe(&batch);
    assert_eq!(rig.hub.session(&session()).activity, Activity::NeedsYou);
}

#[tokio::test]
async fn progress_is_what_the_run_said_last() {
    let progress = |value: Value| ("goal_progress", json!({"progress": value, "criteria_status": {}}));
    assert_eq!(
        after(&[progress(json!(0.25)), progress(json!(0.75))]).await.progress,
        Some(0.75)
    );
    assert_eq!(
        after(&[progress(json!(7)), progress(json!("half"))]).await.progress,
        Some(1.0)
    );
    assert_eq!(after(&[("goal_achieved", json!({}))]).await.progress, Some(1.0));
    assert_eq!(
        after(&[progress(json!(0.5)), ("execution_started", json!({}))])
            .await
            .progress,
        None
    );
    let cloud = (
        "agent_status",
        json!({"agentName": "A", "state": "working", "currentTask": "Tests", "progress": 45}),
    );
    let view = after(&[cloud]).await;
    assert_eq!(
        (view.progress, view.activity, view.task.as_deref()),
        (Some(0.45), Activity::Working, Some("Tests"))
    );
}

#[tokio::test]
async fn a_call_ends_by_its_id_where_it_has_one() {
    let call = |kind, id: &str| (kind, json!({"tool_name": "t", "call_id": id, "success": true}));
    let view = after(&[
        call("tool_call_start", "a"),
        call("tool_call_start", "b"),
        call("tool_call_end", "a"),
    ])
    .await;
    assert_eq!((view.activity, view.task.as_deref()), (Activity::Working, Some("t")));
    let done = after(&[call("tool_call_start", "a"), call("tool_call_end", "a")]).await;
    assert_eq!(done.activity, Activity::Idle);
    let failed = ("tool_call_end", json!({"tool_name": "t", "success": false}));
    assert_eq!(
        after(&[call("tool_call_start", "a"), failed]).await.activity,
        Activity::Failed
    );
}

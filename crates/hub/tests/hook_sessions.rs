//! What the view of sessions says of agents that speak through hooks.

use countersign_hub::Config;
use countersign_model::{Activity, Answer, Ask, NewEvent, Origin, SessionKey, SessionView, Verdict};
use countersign_testkit::{Rig, answer, ask, event, now_or_never};
use serde_json::{Value, json};

struct Scene {
    rig: Rig,
    cursor: countersign_hub::Cursor,
}

fn key(agent: &str, session: &str) -> SessionKey {
    SessionKey {
        agent: agent.into(),
        session: session.into(),
    }
}

impl Scene {
    fn new() -> Self {
        let rig = Rig::new(Config::default());
        let cursor = rig.hub.from_head();
        Self { rig, cursor }
    }

    async fn say(&mut self, agent: &str, session: &str, kind: &str, data: &Value) -> SessionView {
        let said = NewEvent {
            origin: Origin::Hook,
            agent: agent.into(),
            session: Some(session.into()),
            ..event(kind, data)
        };
        self.rig.hub.publish(vec![said]).await.expect("published");
        self.observe().await;
        self.rig.hub.session(&key(agent, session))
    }

    async fn observe(&mut self) {
        self.rig.drain();
        let batch = self.cursor.read(100, usize::MAX).await.expect("read");
        self.rig.hub.observe(&batch);
    }
}

#[tokio::test]
async fn a_turn_works_from_the_prompt_to_its_end() {
    let mut scene = Scene::new();
    let claude = "claude-code";
    let view = scene
        .say(claude, "s1", "session_started", &json!({"cwd": "/srv/shop"}))
        .await;
    assert_eq!(
        (view.activity, view.folder.as_deref()),
        (Activity::Idle, Some("/srv/shop"))
    );
    let prompt = json!({"sender": "user", "content": "Fix the\n  tests"});
    let view = scene.say(claude, "s1", "chat_message", &prompt).await;
    assert_eq!(
        (view.activity, view.task.as_deref()),
        (Activity::Working, Some("Fix the tests"))
    );
    let call = json!({"tool_name": "Bash", "call_id": "t1", "arguments": {"command": "ls"}});
    let view = scene.say(claude, "s1", "tool_call_start", &call).await;
    assert_eq!(view.task.as_deref(), Some("Bash"));
    // Nobody says that a call was interrupted in the terminal; the end of the turn does.
    let view = scene
        .say(claude, "s1", "turn_completed", &json!({"content": "Done."}))
        .await;
    assert_eq!(view.activity, Activity::Idle);
    let late = json!({"sender": "user", "content": "earlier", "late": true});
    let view = scene.say(claude, "s1", "chat_message", &late).await;
    assert_eq!(view.activity, Activity::Idle);
    let view = scene
        .say(claude, "s1", "session_ended", &json!({"reason": "other"}))
        .await;
    assert_eq!(view.activity, Activity::Gone);
    let view = scene
        .say(claude, "s1", "session_started", &json!({"source": "resume"}))
        .await;
    assert_eq!(view.activity, Activity::Idle);
}

#[tokio::test]
async fn a_subagent_is_of_the_session_that_started_it() {
    let mut scene = Scene::new();
    let told = json!({"parent_session": "s1", "agent_type": "Explore", "agent_id": "a1"});
    let view = scene.say("claude-code", "s1/a1", "subagent_started", &told).await;
    assert_eq!(view.activity, Activity::Working);
    assert_eq!(
        (view.parent.as_deref(), view.role.as_deref()),
        (Some("s1"), Some("Explore"))
    );
    let view = scene.say("claude-code", "s1/a1", "subagent_stopped", &told).await;
    assert_eq!(view.activity, Activity::Gone);
    assert_eq!(view.parent.as_deref(), Some("s1"));
}

#[tokio::test]
async fn only_what_ends_with_a_stop_can_be_stopped() {
    let mut scene = Scene::new();
    let data = json!({});
    assert!(scene.say("claude-code", "s1", "session_started", &data).await.stops);
    assert!(!scene.say("codex", "s1", "session_started", &data).await.stops);
}

#[tokio::test]
async fn a_call_that_was_denied_does_not_run() {
    let mut scene = Scene::new();
    let call = json!({"tool_name": "execute_code", "call_id": "t1", "arguments": {"code": "ls"}});
    scene.say("sam", "s1", "tool_call_start", &call).await;
    let other = json!({"tool_name": "execute_code", "call_id": "t0", "arguments": {"code": "id"}});
    scene.say("sam", "s1", "tool_call_start", &other).await;
    let asked = Ask {
        origin: Origin::Hook,
        data: countersign_testkit::json(&json!({"request_id": "r1", "call_id": "t1"})),
        ..ask("r1", "ls")
    };
    let waiter = now_or_never(scene.rig.hub.ask(asked))
        .expect("room")
        .expect("taken")
        .waiter;
    scene.observe().await;
    assert_eq!(scene.rig.hub.session(&key("sam", "s1")).activity, Activity::NeedsYou);
    let denied: Answer = answer(Verdict::Deny);
    now_or_never(scene.rig.hub.answer(waiter.id(), denied))
        .expect("at once")
        .expect("taken");
    scene.observe().await;
    let end = |call: &str, success: bool| json!({"tool_name": "execute_code", "call_id": call, "success": success});
    let view = scene.say("sam", "s1", "tool_call_end", &end("t1", false)).await;
    assert_eq!(
        view.activity,
        Activity::Working,
        "the other call runs, and a denial is no failure"
    );
    let view = scene.say("sam", "s1", "tool_call_end", &end("t0", true)).await;
    assert_eq!((view.activity, view.task.as_deref()), (Activity::Idle, None));
}

#[tokio::test]
async fn a_session_of_an_earlier_run_is_there_again_unless_its_connection_was_all_it_had() {
    let mut scene = Scene::new();
    let prompt = json!({"sender": "user", "content": "go"});
    scene.say("claude-code", "s1", "chat_message", &prompt).await;
    let connected = NewEvent {
        session: Some("s2".into()),
        ..event("tool_call_start", &json!({"tool_name": "x"}))
    };
    scene.rig.hub.publish(vec![connected]).await.expect("published");
    scene.observe().await;
    let stopped = key("claude-code", "long ago");
    scene.rig.hub.stop(&stopped, countersign_model::Surface::Rest, None);
    scene.rig.hub.restored();
    let views = scene.rig.hub.sessions();
    let activity = |session: &str| {
        let view = views.iter().find(|view| &*view.session == session);
        view.map(|view| view.activity)
    };
    assert_eq!(activity("s1"), Some(Activity::Working));
    assert_eq!(activity("s2"), Some(Activity::Gone));
    assert_eq!(activity("long ago"), Some(Activity::Stopped));
}

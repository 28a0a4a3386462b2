//! The commands as the page calls them, on Tauri's mock runtime.

use serde_json::{Value, json};
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets};
use tauri::webview::InvokeRequest;
use tauri::{App, WebviewWindow, WebviewWindowBuilder};

use super::*;
use crate::testing::Bench;

struct Page {
    app: App<MockRuntime>,
    window: WebviewWindow<MockRuntime>,
}

impl Page {
    fn new(link: Link) -> Self {
        let app = install(mock_builder())
            .manage(Arc::new(link))
            .build(mock_context(noop_assets()))
            .expect("a mock app");
        let window = WebviewWindowBuilder::new(&app, window::MAIN, tauri::WebviewUrl::default())
            .build()
            .expect("a mock window");
        Self { app, window }
    }

    /// Calls a command, away from the runtime that carries it out.
    async fn call(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        let window = self.window.clone();
        let request = InvokeRequest {
            cmd: command.into(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: "tauri://localhost".parse().expect("an address"),
            body: InvokeBody::Json(arguments),
            headers: tauri::http::HeaderMap::default(),
            invoke_key: INVOKE_KEY.into(),
        };
        let answered = tokio::task::spawn_blocking(move || get_ipc_response(&window, request));
        let body = answered.await.expect("no panic")?;
        Ok(body.deserialize().expect("JSON"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_from_the_window_reaches_the_agent_and_a_second_one_gets_the_first() {
    let bench = Bench::new().await;
    let mut asked = bench.ask("r1", r#"{"command":"ls"}"#).await;
    let id = asked.id().to_string();
    let page = Page::new(bench.link());
    let waiting = page.call("approvals", json!({"status": "pending"})).await.unwrap();
    assert_eq!((&waiting[0]["id"], waiting.as_array().unwrap().len()), (&json!(id), 1));
    let decided = page
        .call("decide", json!({"id": id, "decision": "deny", "message": "not now"}))
        .await
        .unwrap();
    assert_eq!(
        (&decided["status"], &decided["decision"]["by"]),
        (&json!("denied"), &json!("window"))
    );
    assert_eq!(
        asked.answer().await.decision.unwrap().message.as_deref(),
        Some("not now")
    );
    let late = page
        .call("decide", json!({"id": id, "decision": "approve"}))
        .await
        .unwrap_err();
    assert_eq!(
        (&late["code"], &late["approval"]["status"]),
        (&json!("resolved"), &json!("denied"))
    );
    let found = page.call("approval", json!({"id": "r1"})).await.unwrap();
    assert_eq!(found["status"], "denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_decision_decides_nothing() {
    let bench = Bench::new().await;
    let asked = bench.ask("r1", "{}").await;
    let hub = bench.hub.clone();
    let page = Page::new(bench.link());
    let id = asked.id().to_string();
    for decision in [json!("approved"), json!(true), Value::Null] {
        page.call("decide", json!({"id": id, "decision": decision}))
            .await
            .unwrap_err();
    }
    let missing = page
        .call("decide", json!({"id": "apr-none", "decision": "approve"}))
        .await
        .unwrap_err();
    assert_eq!(missing["code"], "not_found");
    assert_eq!(hub.waiting_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_stopped_and_the_stop_lifted() {
    let bench = Bench::new().await;
    bench.publish("note", "{}").await;
    let page = Page::new(bench.link());
    let key = json!({"agent": "sam", "session": "s1"});
    let stopped = page.call("stop_session", key.clone()).await.unwrap();
    assert_eq!(stopped["stopped"], true);
    let lifted = page.call("resume_session", key).await.unwrap();
    assert_eq!(lifted["stopped"], false);
    let unknown = page
        .call("stop_session", json!({"agent": "sam", "session": "typo"}))
        .await
        .unwrap_err();
    assert_eq!(unknown["code"], "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn history_comes_in_pages_and_a_follower_goes_on_after_them() {
    let bench = Bench::new().await;
    for _ in 0..3 {
        bench.publish("note", r#"{"n":1.10}"#).await;
    }
    let page = Page::new(bench.link());
    let first = page.call("history", json!({"limit": 2})).await.unwrap();
    assert_eq!((&first["events"][1]["seq"], &first["next"]), (&json!(2), &json!(2)));
    let rest = page.call("history", json!({"since": 2, "limit": 100})).await.unwrap();
    assert_eq!((&rest["events"][0]["seq"], &rest["next"]), (&json!(3), &Value::Null));
    let follow = json!({"since": "e1:3", "channel": "__CHANNEL__:7"});
    let started = page.call("follow", follow).await.unwrap();
    assert_eq!((&started["epoch"], &started["head"]), (&json!("e1"), &json!(3)));
    let followers = page.app.state::<Followers>();
    assert_eq!(followers.count(), 1);
    page.call("pulled", json!({"id": started["id"], "to": 3}))
        .await
        .unwrap();
    page.call("unfollow", json!({"id": started["id"]})).await.unwrap();
    assert_eq!(followers.count(), 0);
    let ended = page
        .call("pulled", json!({"id": started["id"], "to": 3}))
        .await
        .unwrap_err();
    assert_eq!(ended["code"], "not_found");
    let bad = page
        .call("follow", json!({"since": "x:y:z", "channel": "__CHANNEL__:7"}))
        .await
        .unwrap_err();
    assert_eq!(bad["code"], "bad_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_hub_the_window_opens_and_every_command_says_why() {
    let problem = countersign_model::Problem {
        code: "data_folder_in_use".into(),
        message: "another Countersign is using it".into(),
    };
    let page = Page::new(Link::without(problem, std::path::Path::new("/data")));
    let status = page.call("status", json!({})).await.unwrap();
    assert_eq!(status["problems"][0]["code"], "data_folder_in_use");
    let sessions = page.call("sessions", json!({})).await.unwrap_err();
    assert_eq!(
        (&sessions["code"], &sessions["message"]),
        (&json!("unreachable"), &json!("another Countersign is using it"))
    );
}

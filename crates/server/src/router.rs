//! Which address leads where, and what holds for all of them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};
use countersign_dialects::limits::{MAX_FRAME, MAX_PUBLISH};
use countersign_hub::Hub;
use countersign_model::Dialect;

use crate::amiga;
use crate::app::App;
use crate::auth::{Access, Door, Need, Standing};
use crate::cloud;
use crate::codex;
use crate::gate::Names;
use crate::hive;
use crate::hooks;
use crate::listen::RootDialect;
use crate::mcp;
use crate::metrics;
use crate::otlp;
use crate::problem::Problem;
use crate::rest::{approvals, attached, connections, events, grants, prometheus, sessions, status};
use crate::sam::{self, Role};
use crate::socket;
use crate::upstream::{EPOCH, HUB, VIA};
use crate::web;

/// One address and one way to use it.
struct Route {
    method: Method,
    path: &'static str,
    need: Need,
    handler: MethodRouter<App>,
}

impl Route {
    fn get<H: Handler<T, App>, T: 'static>(path: &'static str, need: Need, handler: H) -> Self {
        Self::new(Method::GET, path, need, get(handler))
    }

    fn post<H: Handler<T, App>, T: 'static>(path: &'static str, need: Need, handler: H) -> Self {
        Self::new(Method::POST, path, need, post(handler))
    }

    fn delete<H: Handler<T, App>, T: 'static>(path: &'static str, need: Need, handler: H) -> Self {
        Self::new(Method::DELETE, path, need, delete(handler))
    }

    fn new(method: Method, path: &'static str, need: Need, handler: MethodRouter<App>) -> Self {
        Self {
            method,
            path,
            need,
            handler,
        }
    }

    /// Takes the same with a body.
    fn and_post<H: Handler<T, App>, T: 'static>(mut self, handler: H) -> Self {
        self.handler = self.handler.post(handler);
        self
    }

    /// Takes bodies of so many bytes.
    fn up_to(mut self, bytes: usize) -> Self {
        self.handler = self.handler.layer(DefaultBodyLimit::max(bytes));
        self
    }
}

/// All routes there are, and what each needs. Files of the page are the fallback.
fn list() -> Vec<Route> {
    vec![
        Route::get("/", Need::Later, root),
        Route::get("/publish", Need::Publish, publish),
        Route::get("/stream", Need::Later, stream),
        Route::get("/codex", Need::Publish, codex_session),
        Route::get("/sessions", Need::ReadAll, codex::list),
        Route::get("/sessions/{id}", Need::ReadAll, codex::one),
        Route::get("/ws", Need::Tolerant, cloud_agents),
        Route::get("/metrics", Need::ReadAll, prometheus::figures),
        Route::get("/healthz", Need::Nothing, status::healthz),
        Route::get("/api/status", Need::Any, status::status),
        Route::get("/api/agents", Need::Read, sessions::list),
        Route::get("/api/events", Need::Read, events::read),
        Route::post("/api/events", Need::Publish, events::publish).up_to(MAX_PUBLISH),
        Route::get("/api/approvals", Need::Read, approvals::list),
        Route::post("/api/approvals", Need::Publish, approvals::ask),
        Route::get("/api/approvals/{id}", Need::Any, approvals::one),
        Route::post("/api/approvals/{id}/decision", Need::Answer, approvals::decide),
        Route::post("/api/sessions/{id}/stop", Need::Approver, sessions::stop),
        Route::post("/api/sessions/{id}/resume", Need::Approver, sessions::resume),
        Route::get("/api/rules", Need::ReadAll, sessions::rules),
        Route::delete("/api/rules/{id}", Need::ApproverOfAll, sessions::revoke),
        Route::get("/api/upstreams", Need::ReadAll, attached::upstreams),
        Route::post("/api/upstreams", Need::ApproverOfAll, attached::attach),
        Route::delete("/api/upstreams/{name}", Need::ApproverOfAll, attached::detach),
        Route::get("/api/webhooks", Need::ReadAll, attached::webhooks),
        Route::post("/api/webhooks/{name}/retry", Need::ApproverOfAll, attached::retry),
        Route::post("/hooks/claude-code", Need::Publish, hooks::claude_code).up_to(MAX_PUBLISH),
        Route::post("/hooks/codex", Need::Publish, hooks::codex).up_to(MAX_PUBLISH),
        Route::get("/mcp", Need::Publish, mcp::serve),
        Route::post("/mcp", Need::Publish, mcp::serve),
        Route::delete("/mcp", Need::Publish, mcp::serve),
        Route::post("/mcp/questions", Need::Publish, mcp::question),
        Route::post("/mcp/notes", Need::Publish, mcp::note),
        // What is found names folders of the person's, and looking runs programs.
        Route::get("/api/connections", Need::ApproverOfAll, connections::list),
        Route::post("/api/connections/{agent}", Need::ApproverOfAll, connections::connect),
        Route::delete("/api/connections/{agent}", Need::ApproverOfAll, connections::disconnect),
        Route::post(
            "/api/connections/{agent}/examination",
            Need::ApproverOfAll,
            connections::examine,
        ),
        Route::post("/api/grants", Need::Any, grants::grant),
        Route::post("/api/dashboard", Need::Nothing, grants::exchange),
        Route::get("/api/metrics/overview", Need::ReadAll, metrics::rest::overview),
        Route::get("/api/stream/metrics", Need::ReadAll, metrics::rest::events),
        Route::post("/v1/logs", Need::Publish, otlp::logs),
        Route::post("/v1/metrics", Need::Publish, otlp::metrics),
        Route::post("/v1/traces", Need::Publish, otlp::traces),
        Route::get("/websocket-test", Need::Any, amiga::page::page),
        Route::get("/websocket-test/{file}", Need::Nothing, amiga::page::file),
        // Socket.IO's token is in its own connect packet.
        Route::get("/socket.io", Need::Inside, amiga::engine).and_post(amiga::engine),
        Route::get("/socket.io/", Need::Inside, amiga::engine).and_post(amiga::engine),
    ]
}

/// Method and path of each route, for tests that must know them all.
pub fn routes() -> Vec<(String, &'static str)> {
    list()
        .into_iter()
        .map(|route| (route.method.to_string(), route.path))
        .collect()
}

/// All routes, behind the lock.
pub(crate) fn router(app: App, names: Arc<Names>) -> Router {
    list()
        .into_iter()
        .fold(Router::new(), |router, route| {
            let door = (app.door.clone(), route.need);
            router.route(
                route.path,
                route.handler.layer(middleware::from_fn_with_state(door, admit)),
            )
        })
        .fallback(other)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(MAX_FRAME))
        .layer(middleware::from_fn_with_state(names, lock))
        .layer(middleware::map_response_with_state(app.door.hub.clone(), introduce))
        .with_state(app)
}

/// Finds out what whoever comes may do, which handlers and upgrades find as an extension, and whether that is enough.
async fn admit(State((door, need)): State<(Door, Need)>, mut request: Request, next: Next) -> Response {
    // Where `/` is Cloud's, a bad token is let in as Cloud has it.
    let need = match need {
        Need::Later if request.uri().path() == "/" && root_dialect(&request) == Dialect::Cloud => Need::Tolerant,
        need => need,
    };
    match need.access(&door, &request) {
        Ok(access) => {
            request.extensions_mut().insert(access);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Says which hub this is: another one that attaches to it must see whether events would go round in a circle.
async fn introduce(State(hub): State<Arc<Hub>>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    let via = hub.attached().join(",");
    for (name, text) in [(HUB, hub.id()), (EPOCH, hub.epoch().as_str()), (VIA, &via)] {
        if let (false, Ok(value)) = (text.is_empty(), HeaderValue::from_str(text)) {
            headers.insert(name, value);
        }
    }
    response
}

async fn lock(State(names): State<Arc<Names>>, request: Request, next: Next) -> Response {
    if let Err(problem) = names.check(request.uri(), request.headers()) {
        return problem.into_response();
    }
    let Some(origin) = names.admitted(request.headers()).cloned() else {
        return next.run(request).await;
    };
    // A page that the configuration admits: its browser asks first, and must be told that it may read the answer.
    let mut response = if request.method() == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, DELETE"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "authorization, content-type, accept, last-event-id, mcp-protocol-version, mcp-session-id",
            ),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("mcp-session-id"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    response
}

async fn not_allowed(State(app): State<App>, request: Request) -> Problem {
    match Need::Any.access(&app.door, &request) {
        Ok(_) => Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address does not take this method"),
        Err(problem) => problem,
    }
}

/// Files that the page needs hold no data and are open; what else there is, or is not, is for those who are let in.
async fn other(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let path = request.uri().path();
    if !web::is_asset(path) {
        Need::Any.access(&app.door, &request)?;
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(web::file(request.uri()));
    }
    Err(match path.strip_prefix("/hooks/") {
        Some(_) => Problem::new(
            StatusCode::NOT_FOUND,
            "hooks are taken at /hooks/claude-code and /hooks/codex",
        ),
        None => web::nothing(),
    })
}

async fn root(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    if !socket::is_upgrade(request.headers()) {
        return Ok(web::index());
    }
    match root_dialect(&request) {
        Dialect::Codex => codex::open(request, &app),
        Dialect::Hive => hive::open(request, app.door, &app.settings),
        Dialect::Cloud => cloud::open(request, app.cloud, app.door, &app.settings),
        // Of all that is spoken here, only Hive's first message says who somebody is.
        _ if is_awaited(&request) => hive::open(request, app.door, &app.settings),
        _ => sam::open(request, Role::Monitor, app.door, &app.settings),
    }
}

/// What an upgrade at `/` speaks on the listener that the request came through.
fn root_dialect(request: &Request) -> Dialect {
    let root = request.extensions().get::<RootDialect>();
    root.map_or(Dialect::default(), |root| root.0)
}

async fn cloud_agents(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    cloud::open(request, app.cloud, app.door, &app.settings)
}

async fn publish(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let role = Role::of_publisher(&request);
    sam::open(request, role, app.door, &app.settings)
}

async fn stream(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    hive::open(request, app.door, &app.settings)
}

fn is_awaited(request: &Request) -> bool {
    let access = request.extensions().get::<Access>();
    access.is_some_and(|access| access.standing == Standing::Awaited)
}

async fn codex_session(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    codex::open(request, &app)
}

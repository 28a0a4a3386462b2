//! From a request to a Cloud client: whose token it is. One without a token, or with a bad one, is let in as a stranger.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header;
use axum::response::Response;
use countersign_dialects::limits::MAX_NAME;
use countersign_hub::random_hex;
use tokio::sync::Notify;

use super::Cloud;
use super::conversation::CloudConversation;
use super::view::CloudView;
use crate::auth::{Access, Door, Roles, Standing, given};
use crate::census::Speaks;
use crate::problem::Problem;
use crate::socket::{Feed, Intake, Settings, run, upgrade};

/// Whoever comes.
#[derive(Debug, PartialEq, Eq)]
struct Visitor {
    authenticated: bool,
    user: Option<Arc<str>>,
}

/// Upgrades the request. The cursor is taken now: from here on nothing is missed.
pub(crate) fn open(
    mut request: Request,
    cloud: Arc<Cloud>,
    door: Door,
    settings: &Settings,
) -> Result<Response, Problem> {
    let access = request.extensions().get::<Access>().cloned();
    let access = access.unwrap_or_else(|| Access::of(Roles::NONE, Standing::Refused));
    let visitor = visitor(&request, &access, cloud.config.dev_tokens);
    // What a stranger may hear is for the view to say.
    let access = Access {
        roles: Roles::MONITOR,
        ..access
    };
    request.extensions_mut().insert(access);
    let cursor = door.hub.from_head();
    let (closing, switches, census) = (settings.closing.clone(), settings.switches, settings.census.clone());
    upgrade(request, settings, async move |line| {
        let _present = census.enter(Speaks::Cloud);
        let connection: Arc<str> = format!("c-{}", random_hex(6)).into();
        let view = CloudView {
            authenticated: visitor.authenticated,
            user: visitor.user.clone(),
            connection: connection.clone(),
            switches,
        };
        let feed = Feed::new(cursor, Some(Arc::new(view)), None, Arc::new(Notify::new()));
        let hub = door.hub.clone();
        run(line, Intake::MONITOR, Some(feed), &hub, closing, |direct| {
            CloudConversation::new(door, cloud, visitor.authenticated, visitor.user, connection, direct)
        })
        .await;
    })
}

fn visitor(request: &Request, access: &Access, dev_tokens: bool) -> Visitor {
    let is_name = |name: &str| !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control);
    if access.standing == Standing::Known {
        let authenticated = access.may_read();
        let user = access.subject.clone().filter(|user| authenticated && is_name(user));
        return Visitor { authenticated, user };
    }
    let token = given(request.headers(), request.uri().query()).ok().flatten();
    let user = token
        .filter(|token| dev_tokens && is_local(request) && !token.is_empty() && !is_secret(token))
        .map(|token| format!("user_{token}"))
        .filter(|user| is_name(user));
    Visitor {
        authenticated: user.is_some(),
        user: user.map(Into::into),
    }
}

/// A user's name is shown to others: a JWT that is not valid here may be valid elsewhere, and so may a key.
fn is_secret(token: &str) -> bool {
    // One letter off, cut, or with its scheme before it, it still gives most of itself away.
    let digits = token.bytes().filter(u8::is_ascii_hexdigit).count();
    let is_key = token.len() >= 32 && digits * 10 >= token.len() * 9;
    is_key || token.contains("eyJ")
}

/// Whether the request came for this machine by name, and not through a proxy's public one.
fn is_local(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let name = host.map(|host| {
        host.rsplit_once(':').map_or(host, |(name, port)| {
            if port.bytes().all(|byte| byte.is_ascii_digit()) {
                name
            } else {
                host
            }
        })
    });
    name.is_some_and(|name| {
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn came(uri: &str, host: &str, dev_tokens: bool) -> Option<String> {
        let request = Request::builder()
            .uri(uri)
            .header("host", host)
            .body(Body::empty())
            .expect("a request");
        let visitor = visitor(&request, &Access::of(Roles::NONE, Standing::Refused), dev_tokens);
        assert_eq!(visitor.authenticated, visitor.user.is_some());
        visitor.user.map(|user| user.to_string())
    }

    #[test]
    fn a_development_token_is_a_user_on_this_machine_alone() {
        let user = |name: &str| Some(name.to_owned());
        assert_eq!(came("/ws?token=abc123", "localhost:3000", true), user("user_abc123"));
        assert_eq!(came("/ws?token=a%20b", "[::1]:3000", true), user("user_a b"));
        assert_eq!(came("/ws?token=abc", "127.0.0.1", true), user("user_abc"));
        assert_eq!(came("/ws?token=abc", "agents.example", true), None);
        assert_eq!(came("/ws?token=abc", "localhost:3000", false), None);
        for token in [
            "",
            "%00",
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
            "Bearer%20eyJhbGciOiJIUzI1NiJ9.e30.x",
            "eyJhbGciOiJIUzI1NiJ9",
            &format!("{}z", "0123456789abcdef".repeat(4)),
            &"0123456789abcdef".repeat(4),
            &"x".repeat(300),
        ] {
            assert_eq!(
                came(&format!("/ws?token={token}"), "localhost:3000", true),
                None,
                "{token}"
            );
        }
        assert_eq!(came("/ws", "localhost:3000", true), None);
    }

    #[test]
    fn a_valid_token_names_its_user_if_it_may_read() {
        let request = Request::builder()
            .uri("/ws?token=t")
            .body(Body::empty())
            .expect("a request");
        let of = |roles| {
            let access = Access {
                subject: Some("ann".into()),
                ..Access::of(roles, Standing::Known)
            };
            visitor(&request, &access, false)
        };
        let (ann, nobody) = (Some("ann".into()), None);
        assert_eq!(
            of(Roles::MONITOR),
            Visitor {
                authenticated: true,
                user: ann
            }
        );
        assert_eq!(
            of(Roles::NONE),
            Visitor {
                authenticated: false,
                user: nobody
            }
        );
    }
}

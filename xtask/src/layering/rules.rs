//! What may depend on what. A new crate is placed here when it is made.

/// The desktop app, the root package.
pub(super) const SHELL: &str = "countersign-desktop";

/// Layers from the ground up. A member may know members of lower layers only, not its neighbours.
const LAYERS: &[&[&str]] = &[
    &["countersign-model"],
    &["countersign-dialects", "countersign-agents", "countersign-hub"],
    &["countersign-store"],
    &["countersign-server"],
    &["countersign-cli", SHELL],
];

/// Members that never ship. They may know every library, and no shipping member may know them.
const DEVELOPMENT: &[&str] = &["countersign-testkit", "countersign-tests", "xtask"];

/// Crates that have their home in some members and must not be reached from others.
pub(super) struct Ban {
    pub(super) crates: &'static [&'static str],
    at: At,
    pub(super) reason: &'static str,
}

/// Where a ban holds.
enum At {
    AllBut(&'static [&'static str]),
    Only(&'static [&'static str]),
}

impl Ban {
    pub(super) fn applies_to(&self, member: &str) -> bool {
        match self.at {
            At::AllBut(homes) => !homes.contains(&member),
            At::Only(members) => members.contains(&member),
        }
    }
}

pub(super) const BANS: &[Ban] = &[
    Ban {
        crates: &["tauri", "tauri-build", "wry", "tao", "gtk", "gtk4", "webkit2gtk"],
        at: At::AllBut(&[SHELL]),
        reason: "the window's framework is known to the shell alone",
    },
    Ban {
        crates: &[
            "hyper",
            "hyper-util",
            "axum",
            "axum-core",
            "tower-http",
            "actix-web",
            "warp",
            "rocket",
            "poem",
        ],
        at: At::AllBut(&["countersign-server", "countersign-testkit", "countersign-tests"]),
        reason: "HTTP is served in `server` alone",
    },
    Ban {
        crates: &["reqwest", "ureq", "tungstenite", "tokio-tungstenite", "fantoccini"],
        at: At::AllBut(&[
            "countersign-server",
            "countersign-cli",
            "countersign-testkit",
            "countersign-tests",
        ]),
        reason: "only `server` and the command line speak HTTP and WebSocket",
    },
    Ban {
        crates: &["reqwest"],
        at: At::Only(&["countersign-server", "countersign-cli"]),
        reason: "the command line's client is ureq, the server's is hyper",
    },
    Ban {
        crates: &[
            "rusqlite",
            "rusqlite_migration",
            "libsqlite3-sys",
            "sqlx",
            "diesel",
            "sqlite",
        ],
        at: At::AllBut(&["countersign-store", "countersign-tests"]),
        reason: "SQL is written in `store` alone",
    },
    Ban {
        crates: &["tokio", "async-std", "smol", "async-io", "mio", "socket2"],
        at: At::Only(&["countersign-model", "countersign-dialects"]),
        reason: "`model` and `dialects` are values and codecs: no async, no IO",
    },
];

/// Features that a member may turn on of a crate. This is judged by what the member declares: cargo resolves the features of the
/// whole workspace as one, so what a crate draws in behind it is no evidence against the member.
pub(super) struct Features {
    pub(super) member: &'static str,
    pub(super) of: &'static str,
    pub(super) allowed: &'static [&'static str],
    pub(super) reason: &'static str,
}

pub(super) const FEATURES: &[Features] = &[Features {
    member: "countersign-hub",
    of: "tokio",
    allowed: &["sync"],
    reason: "the hub waits and wakes, and has no runtime, sockets, files or timers",
}];

/// Whether `member` may know `other`, both of the workspace; if not, why.
pub(super) fn may_depend(member: &str, other: &str) -> Result<(), String> {
    let layer = |name: &str| LAYERS.iter().position(|layer| layer.contains(&name));
    let develops = |name: &str| DEVELOPMENT.contains(&name);
    let reason = match (layer(member), layer(other)) {
        _ if member == "xtask" => "xtask builds the others and depends on none of them",
        (Some(above), Some(below)) if above > below => return Ok(()),
        (Some(_), Some(_)) => {
            "the design draws dependencies one way: model <- dialects, hub <- store <- server <- cli, shell"
        }
        (Some(_), None) if develops(other) => "it is for development only: make it a development dependency",
        (None, Some(_)) if develops(member) && other == SHELL => "the tests start the app, they do not link it",
        (None, Some(_)) if develops(member) => return Ok(()),
        (None, None) if member == "countersign-tests" && other == "countersign-testkit" => return Ok(()),
        _ => "one of them has no place in the layers yet: xtask/src/layering/rules.rs",
    };
    Err(format!("{member} -> {other}: {reason}"))
}

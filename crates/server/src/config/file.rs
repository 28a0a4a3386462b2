//! The file: SAM's `config.json` as it stands, or our own TOML.

use std::path::{Path, PathBuf};

use countersign_dialects::sam::Switches;
use serde::Deserialize;

use super::{Config, ConfigError, DEFAULT_PORT};
use crate::address::ListenAt;
use crate::cloud::OwnCloud;
use crate::codex::Codex;
use crate::hooks::HooksConfig;
use crate::pace::Rate;
use crate::upstream::{UpstreamSettings, WrittenUpstream};
use crate::webhook::{self, WebhookSettings};

/// SAM's file: other sections are SAM's own.
#[derive(Deserialize)]
struct SamFile {
    #[serde(default)]
    websocket: Sam,
}

#[derive(Deserialize)]
#[serde(default)]
struct Sam {
    enabled: bool,
    host: String,
    port: u16,
    broadcast_tool_calls: bool,
    broadcast_system2: bool,
    broadcast_system3: bool,
    broadcast_autonomous: bool,
}

impl Default for Sam {
    fn default() -> Self {
        Self {
            enabled: true,
            host: "localhost".to_owned(),
            port: DEFAULT_PORT,
            broadcast_tool_calls: true,
            broadcast_system2: true,
            broadcast_system3: true,
            broadcast_autonomous: true,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct OwnFile {
    enabled: Option<bool>,
    host: Option<String>,
    port: Option<u16>,
    listen: Vec<String>,
    jwt_secret_file: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    open_answers: bool,
    auth: OwnAuth,
    cloud_dev_tokens: bool,
    cloud: OwnCloud,
    rate_limit: Option<Rate>,
    allowed_origins: Vec<String>,
    allowed_hosts: Vec<String>,
    max_connections: Option<usize>,
    ring_mib: Option<usize>,
    approvals: OwnApprovals,
    sam: OwnSam,
    codex: Codex,
    hooks: HooksConfig,
    webhook: Vec<webhook::Written>,
    upstream: Vec<WrittenUpstream>,
}

#[derive(Clone, Copy, Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum OwnAuth {
    #[default]
    Optional,
    Required,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct OwnApprovals {
    timeout_seconds: Option<i64>,
    grace_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnSam {
    broadcast_tool_calls: bool,
    broadcast_system2: bool,
    broadcast_system3: bool,
    broadcast_autonomous: bool,
}

impl Default for OwnSam {
    fn default() -> Self {
        Self {
            broadcast_tool_calls: true,
            broadcast_system2: true,
            broadcast_system3: true,
            broadcast_autonomous: true,
        }
    }
}

/// Checks what is written, each under a name of its own.
fn once_each<W, T>(
    written: Vec<W>,
    check: impl Fn(W) -> Result<T, String>,
    name: impl Fn(&T) -> &String,
) -> Result<Vec<T>, ConfigError> {
    let mut all: Vec<T> = Vec::new();
    for one in written {
        let one = check(one).map_err(ConfigError::Value)?;
        if all.iter().any(|known| name(known) == name(&one)) {
            return Err(ConfigError::Value(format!("the name {:?} is used twice", name(&one))));
        }
        all.push(one);
    }
    Ok(all)
}

impl Config {
    /// Reads a configuration file (without one, the defaults), and what the environment says over it.
    ///
    /// # Errors
    /// When the file cannot be read, or says something that cannot be done.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let mut config = Self::read(path)?;
        let store = std::env::var_os("SESSION_STORE_PATH").filter(|path| !path.is_empty());
        config.codex.session_store = store.map(PathBuf::from).or(config.codex.session_store);
        Ok(config)
    }

    fn read(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let parse = |why: String| ConfigError::Parse {
            path: path.to_owned(),
            why,
        };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => {
                let text = text.trim_start_matches('\u{feff}');
                Self::from_sam(serde_json::from_str(text).map_err(|error| parse(error.to_string()))?)
            }
            Some("toml") => Self::from_own(toml::from_str(&text).map_err(|error| parse(error.to_string()))?),
            _ => Err(ConfigError::Kind(path.to_owned())),
        }
    }

    fn from_sam(file: SamFile) -> Result<Self, ConfigError> {
        let sam = file.websocket;
        let mut config = Self {
            enabled: sam.enabled,
            port: sam.port,
            switches: Switches {
                tool_calls: sam.broadcast_tool_calls,
                system2: sam.broadcast_system2,
                system3: sam.broadcast_system3,
                autonomous: sam.broadcast_autonomous,
            },
            ..Self::default()
        };
        config.set_host(&sam.host)?;
        Ok(config)
    }

    fn from_own(file: OwnFile) -> Result<Self, ConfigError> {
        let base = Self::default();
        let positive = |name: &str, value: Option<i64>| match value {
            Some(value) if value <= 0 => Err(ConfigError::Value(format!("{name} must be more than 0"))),
            value => Ok(value),
        };
        if file.open_answers && file.auth == OwnAuth::Required {
            return Err(ConfigError::Value(
                "open_answers = true lets everybody answer and auth = \"required\" lets nobody in without a token: choose one"
                    .to_owned(),
            ));
        }
        if !file.listen.is_empty() && (file.host.is_some() || file.port.is_some()) {
            return Err(ConfigError::Value(
                "`listen` replaces `host` and `port`: leave those out".to_owned(),
            ));
        }
        let listen: Result<Vec<ListenAt>, _> = file.listen.iter().map(|text| text.parse()).collect();
        if file.cloud_dev_tokens && file.auth == OwnAuth::Required {
            return Err(ConfigError::Value(
                "cloud_dev_tokens = true takes any token and auth = \"required\" takes valid ones alone: choose one"
                    .to_owned(),
            ));
        }
        let mut config = Self {
            enabled: file.enabled.unwrap_or(true),
            port: file.port.unwrap_or(DEFAULT_PORT),
            switches: Switches {
                tool_calls: file.sam.broadcast_tool_calls,
                system2: file.sam.broadcast_system2,
                system3: file.sam.broadcast_system3,
                autonomous: file.sam.broadcast_autonomous,
            },
            open_answers: file.open_answers,
            auth_required: file.auth == OwnAuth::Required,
            cloud: file.cloud.read(file.cloud_dev_tokens)?,
            rate_limit: file.rate_limit,
            allowed_origins: file.allowed_origins,
            allowed_hosts: file.allowed_hosts,
            approval_timeout: positive("approvals.timeout_seconds", file.approvals.timeout_seconds)?,
            grace_seconds: positive("approvals.grace_seconds", file.approvals.grace_seconds)?
                .unwrap_or(base.grace_seconds),
            max_connections: file.max_connections.unwrap_or(base.max_connections).clamp(8, 65_536),
            ring_bytes: file
                .ring_mib
                .map_or(base.ring_bytes, |mib| mib.clamp(1, 4096) * 1024 * 1024),
            data_dir: file.data_dir,
            codex: file.codex,
            hooks: file.hooks,
            jwt_secret_file: file.jwt_secret_file,
            webhooks: once_each(file.webhook, WebhookSettings::check, |hook| &hook.name)?,
            upstreams: once_each(
                file.upstream,
                |written| UpstreamSettings::check(written, true).map_err(|error| error.to_string()),
                |upstream| &upstream.name,
            )?,
            ..base
        };
        if let Some(host) = file.host {
            config.set_host(&host)?;
        }
        config.set_listen(listen?)?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::Dialect;

    use super::*;

    fn sam(text: &str) -> Result<Config, ConfigError> {
        Config::from_sam(serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn sams_section_is_honoured_as_it_stands() {
        let config = sam(
            r#"{"other": 1, "websocket": {"enabled": true, "host": "localhost", "port": 9000,
                "broadcast_tool_calls": true, "broadcast_system2": false, "broadcast_system3": true,
                "broadcast_autonomous": true}}"#,
        )
        .expect("valid");
        assert_eq!(
            (config.port, config.hosts.len(), config.switches.system2),
            (9000, 2, false)
        );
        assert!(sam("{}").expect("valid").enabled);
        assert!(!sam(r#"{"websocket":{"enabled":false}}"#).expect("valid").enabled);
    }

    #[test]
    fn a_host_off_loopback_is_refused_with_the_recipe_for_a_proxy() {
        for host in ["0.0.0.0", "::", "192.168.1.5", "example.com", ""] {
            let error = sam(&format!(r#"{{"websocket":{{"host":"{host}"}}}}"#)).expect_err(host);
            assert!(error.to_string().contains("proxy"), "{error}");
        }
        for host in ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "LOCALHOST"] {
            Config::default().set_host(host).expect(host);
        }
    }

    #[test]
    fn listeners_replace_the_default_and_the_command_line_replaces_them() {
        let own = |text: &str| Config::from_own(toml::from_str(text).expect("TOML"));
        let mut config = own("listen = ['127.0.0.1:3000=cloud', '[::1]:0=hive']").expect("valid");
        let dialects: Vec<_> = config.listeners().iter().map(|at| at.dialect).collect();
        assert_eq!(dialects, [Dialect::Cloud, Dialect::Hive]);
        config.set_port(1);
        assert_eq!(config.listeners().len(), 1);
        assert!(own("listen = ['127.0.0.1:1']\nport = 2").is_err());
        assert!(own("listen = ['0.0.0.0:1']").is_err());
    }

    #[test]
    fn an_address_that_is_named_twice_is_said_to_be() {
        let own = |text: &str| Config::from_own(toml::from_str(text).expect("TOML"));
        for (listen, twice) in [
            ("'127.0.0.1:3000', '127.0.0.1:3000'", "127.0.0.1:3000"),
            (
                "'127.0.0.1:3000=cloud', '127.0.0.1:4000', '127.0.0.1:3000=hive'",
                "127.0.0.1:3000",
            ),
            ("'localhost:3000', '[::1]:3000'", "[::1]:3000"),
        ] {
            let error = own(&format!("listen = [{listen}]")).expect_err(listen).to_string();
            assert!(error.contains(&format!("{twice} is named twice")), "{error}");
        }
        own("listen = ['127.0.0.1:0', '127.0.0.1:0', '127.0.0.1:3000', '[::1]:3000']").expect("four addresses");
    }

    #[test]
    fn a_lock_and_an_open_door_are_not_had_together() {
        let own = |text: &str| Config::from_own(toml::from_str(text).expect("TOML"));
        assert!(own("auth = 'required'").expect("valid").auth_required);
        assert!(!own("auth = 'optional'").expect("valid").auth_required);
        assert!(own("auth = 'required'\nopen_answers = true").is_err());
        assert!(toml::from_str::<OwnFile>("auth = 'maybe'").is_err());
    }

    #[test]
    fn our_own_file_names_what_it_does_not_know() {
        let error = toml::from_str::<OwnFile>("porrt = 1")
            .err()
            .expect("unknown")
            .to_string();
        assert!(error.contains("porrt"), "{error}");
        let file = toml::from_str("port = 1\nopen_answers = true\n[approvals]\ntimeout_seconds = 5\n").expect("valid");
        let config = Config::from_own(file).expect("valid");
        assert!(config.open_answers && config.approval_timeout == Some(5));
    }
}

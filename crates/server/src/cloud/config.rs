//! What the configuration says of Cloud clients.

use std::time::Duration;

use serde::Deserialize;

use crate::ConfigError;

/// How Cloud clients are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloudConfig {
    /// Whether any token T is the user `user_T`, as in the seed's development mode; on this machine alone.
    pub dev_tokens: bool,
    /// A client is asked whether it is there so often.
    pub ping: Duration,
    /// A client that says nothing for so long is closed.
    pub timeout: Duration,
}

impl Default for CloudConfig {
    /// The seed's times.
    fn default() -> Self {
        Self {
            dev_tokens: false,
            ping: Duration::from_secs(30),
            timeout: Duration::from_secs(60),
        }
    }
}

/// `[cloud]`.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OwnCloud {
    ping_seconds: Option<f64>,
    timeout_seconds: Option<f64>,
}

impl OwnCloud {
    pub(crate) fn read(&self, dev_tokens: bool) -> Result<CloudConfig, ConfigError> {
        let base = CloudConfig::default();
        let time = |name: &str, value: Option<f64>, default: Duration| match value {
            None => Ok(default),
            Some(seconds) if (0.01..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
            Some(_) => Err(ConfigError::Value(format!(
                "cloud.{name} is a number of seconds, 0.01 to 86400"
            ))),
        };
        let config = CloudConfig {
            dev_tokens,
            ping: time("ping_seconds", self.ping_seconds, base.ping)?,
            timeout: time("timeout_seconds", self.timeout_seconds, base.timeout)?,
        };
        if config.timeout <= config.ping {
            return Err(ConfigError::Value(
                "cloud.timeout_seconds must be more than cloud.ping_seconds, or clients are closed before they are asked".into(),
            ));
        }
        Ok(config)
    }
}

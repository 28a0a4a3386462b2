//! Connecting as the hub itself does it, for the window: the same steps as on the command line, one at a time and off the runtime.

use std::path::PathBuf;
use std::sync::Arc;

use countersign_agents::absent::WhenAbsent;
use countersign_agents::hook::Agent;
use countersign_hub::{EventQuery, Hub};
use countersign_model::{Connection, ConnectionChange, Finding};
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::{ConnectError, Doctor, HubSide, Plan, Scope, Surroundings, Wanted, connections, examine};

/// What a person chose in the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectWish {
    /// One project's settings instead of the person's own: the folder, from the root.
    pub project: Option<PathBuf>,
    /// Usage and cost: on, off, or as it is.
    pub telemetry: Option<bool>,
    /// What the agent is told while no hub is there.
    pub when_absent: Option<WhenAbsent>,
    /// Only show what would change.
    pub dry_run: bool,
}

/// Connects agents of the machine that the hub runs on, for the person that it runs for.
#[derive(Clone)]
pub struct Connector {
    hub: Arc<Hub>,
    /// The first address that it listens on.
    url: Option<String>,
    /// What hooks must be told to find this hub, where it is not in the usual place.
    more: Vec<String>,
    one: Arc<Mutex<()>>,
}

/// Why the window got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    /// Nobody's name.
    #[error("an agent is claude-code or codex")]
    Unknown,
    /// A folder that is not named from the root.
    #[error("a project is named by its whole path, from the root")]
    Relative,
    /// There are no settings to look at.
    #[error("there is no home folder: HOME is not set where the hub runs")]
    Homeless,
    /// The settings were left alone.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The hub is closing.
    #[error("the hub is closing")]
    Closing,
}

struct Inside<'a> {
    connector: &'a Connector,
    runtime: Handle,
}

impl HubSide for Inside<'_> {
    fn reach(&self) -> Result<String, Finding> {
        let url = self.connector.url.clone();
        url.ok_or_else(|| {
            Finding::fail(
                "hub",
                "the hub listens on no address, so no hook can reach it",
                "Look in the status view why: its port may be in use, or listening is switched off in the configuration.",
            )
        })
    }

    fn has(&self, agent: &str, session: &str) -> Result<bool, String> {
        let hub = &self.connector.hub;
        let query = EventQuery {
            agents: vec![agent.into()],
            sessions: vec![session.into()],
            limit: 1,
            ..EventQuery::default()
        };
        let found = self.runtime.block_on(async {
            hub.flush().await;
            hub.archive().events(query).await
        });
        found
            .map(|page| !page.events.is_empty())
            .map_err(|error| error.to_string())
    }
}

impl Connector {
    pub(crate) fn new(hub: Arc<Hub>, url: Option<String>, more: Vec<String>) -> Self {
        Self {
            hub,
            url,
            more,
            one: Arc::default(),
        }
    }

    async fn off<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Surroundings) -> Result<T, ConnectError> + Send + 'static,
    ) -> Result<T, ConnectorError> {
        // Two at a time would find each other's files changed.
        let guard = self.one.clone().lock_owned().await;
        let connector = self.clone();
        let work = move || {
            let _guard = guard;
            let around = Surroundings::here().ok_or(ConnectorError::Homeless)?;
            Ok(work(&connector, &around)?)
        };
        let worked = tokio::task::spawn_blocking(work).await;
        worked.map_err(|_| ConnectorError::Closing)?
    }

    /// Agents of this machine, and how they are connected: for all projects, or for one.
    ///
    /// # Errors
    /// When that cannot be looked at.
    pub async fn list(&self, project: Option<PathBuf>) -> Result<Vec<Connection>, ConnectorError> {
        let project = absolute(project)?;
        self.off(move |_, around| Ok(connections(around, project.as_deref())))
            .await
    }

    /// Connects an agent, or shows what that would change.
    ///
    /// # Errors
    /// When its settings were left alone.
    pub async fn connect(&self, agent: &str, wish: ConnectWish) -> Result<ConnectionChange, ConnectorError> {
        let scope = scope(agent, wish.project.clone())?;
        self.off(move |connector, around| {
            let url = connector
                .url
                .clone()
                .unwrap_or_else(|| "http://127.0.0.1:8765".to_owned());
            let wanted = Wanted {
                when_absent: wish.when_absent,
                more: connector.more.clone(),
                telemetry: wish.telemetry.map(|on| on.then_some(url)),
                http: None,
            };
            let plan = Plan::connect(around, &scope, &wanted)?;
            connector.carry_out(&plan, wish.dry_run)
        })
        .await
    }

    /// Takes our entries out again, or shows what that would change.
    ///
    /// # Errors
    /// When its settings were left alone.
    pub async fn disconnect(
        &self,
        agent: &str,
        project: Option<PathBuf>,
        dry_run: bool,
    ) -> Result<ConnectionChange, ConnectorError> {
        let scope = scope(agent, project)?;
        self.off(move |connector, around| connector.carry_out(&Plan::disconnect(around, &scope)?, dry_run))
            .await
    }

    fn carry_out(&self, plan: &Plan, dry_run: bool) -> Result<ConnectionChange, ConnectError> {
        if dry_run {
            Ok(plan.show())
        } else {
            plan.carry_out(&self.hub.now().to_rfc3339())
        }
    }

    /// Looks at a connection end to end; with `fix`, what can be put right is.
    ///
    /// # Errors
    /// When there is no such agent.
    pub async fn examine(
        &self,
        agent: &str,
        project: Option<PathBuf>,
        fix: bool,
    ) -> Result<Vec<Finding>, ConnectorError> {
        let scope = scope(agent, project)?;
        let runtime = Handle::current();
        self.off(move |connector, around| {
            let doctor = Doctor {
                around,
                scope: &scope,
                asked: true,
                hub: &Inside { connector, runtime },
                fix: fix.then(|| connector.hub.now().to_rfc3339()),
            };
            Ok(examine(&doctor))
        })
        .await
    }
}

fn scope(agent: &str, project: Option<PathBuf>) -> Result<Scope, ConnectorError> {
    let agent = Agent::parse(agent).ok_or(ConnectorError::Unknown)?;
    let project = absolute(project)?;
    Ok(Scope { agent, project })
}

/// Where the hub was started is nothing to whoever names a folder.
fn absolute(project: Option<PathBuf>) -> Result<Option<PathBuf>, ConnectorError> {
    match project {
        Some(project) if !project.is_absolute() => Err(ConnectorError::Relative),
        Some(project) if !project.is_dir() => Err(ConnectError::NoProject(project).into()),
        project => Ok(project),
    }
}

//! A running server: data folder, store, hub and listeners put together, watched, and taken apart again.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_hub::{Hub, Limits, SystemClock, random_hex};
use countersign_model::{Dialect, HubStatus, Listener, Problem};
use countersign_store::{DataFolder, Store, Writer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use crate::amiga::{self, Amiga};
use crate::app::App;
use crate::auth::{Door, Keys, Lock, Secrets, folder_secret, foreign_secret};
use crate::census::Census;
use crate::cloud::Cloud;
use crate::codex::{Room, scripted};
use crate::config::Config;
use crate::connect::Connector;
use crate::directions::{self, whereabouts};
use crate::gate::Names;
use crate::hooks::{Hooks, deliver};
use crate::listen::{self, RootDialect, Serving};
use crate::mcp::Mcp;
use crate::metrics::{self, Board, Figures};
use crate::otlp;
use crate::report::Report;
use crate::router::router;
use crate::setup::{Approver, Setup, StartError};
use crate::socket::Settings;
use crate::troubles::{cannot_listen, disabled, unreadable};
use crate::upstream::Upstreams;
use crate::watch::{watch_sessions, watch_store, watch_time};
use crate::webhook::{self, Webhooks};

/// How long closing waits for connections.
const CLOSING: Duration = Duration::from_secs(3);

/// A server that runs. Dropped, it stops listening; [`Running::shutdown`] also says goodbye.
pub struct Running {
    hub: Arc<Hub>,
    report: Arc<Report>,
    figures: Figures,
    connector: Connector,
    closing: watch::Sender<bool>,
    alive: mpsc::Receiver<()>,
    tasks: Vec<JoinHandle<()>>,
    changes: watch::Sender<u64>,
    writer: Mutex<Option<Writer>>,
    folder: Arc<DataFolder>,
}

/// Opens the data folder and the store, starts the hub, and listens.
///
/// # Errors
/// When the data folder or the store cannot be used.
pub async fn start(setup: Setup) -> Result<Running, StartError> {
    let config = setup.config;
    let agent = config.codex.script.as_deref().map(scripted).transpose()?;
    let folder = Arc::new(DataFolder::open(&setup.data_dir)?);
    let (store, restored) = Store::open(folder.path(), &random_hex(8))?;
    let hub_config = countersign_hub::Config {
        ring_bytes: config.ring_bytes,
        limits: Limits {
            grace_seconds: config.grace_seconds,
            ..Limits::default()
        },
    };
    let mut problems = unreadable(&restored, folder.path());
    let hub = Hub::new(hub_config, restored, store.reads(), Arc::new(SystemClock));
    let notes = store.notes();
    let writer = store.start(&hub)?;
    let secrets = Secrets {
        folder: folder_secret(folder.path())?,
        foreign: config.jwt_secret_file.as_deref().map(foreign_secret).transpose()?,
        files_approve: setup.approver == Approver::File,
    };
    let lock = Lock {
        open_answers: config.open_answers,
        required: config.auth_required,
    };
    let keys = Arc::new(Keys::new(lock, secrets, setup.confirm));
    let (closing, closed) = watch::channel(false);
    let (alive, all_gone) = mpsc::channel(1);

    directions::tell_hooks(&folder, &config.hooks)?;

    let listening = bind(&config, &mut problems).await;
    let addresses: Vec<_> = listening
        .iter()
        .filter_map(|(listener, dialect)| Some((listener.local_addr().ok()?, *dialect)))
        .collect();
    let mut names = Names::new(
        addresses.iter().map(|(address, _)| address.port()),
        &config.allowed_hosts,
        &config.allowed_origins,
    );
    for (address, _) in &addresses {
        names.add(&address.to_string());
    }
    let places = Arc::new(Semaphore::new(config.max_connections));
    let changes = watch::Sender::new(0);
    let http = webhook::client();
    let (webhooks, mut tasks) = Webhooks::start(config.webhooks, &hub, &notes, &http, &changes);
    let upstreams = Upstreams::start(
        config.upstreams,
        &hub,
        &notes,
        &http,
        &folder,
        config.approval_timeout,
        &changes,
    );
    let report = Arc::new(Report {
        hub: hub.clone(),
        keys: keys.clone(),
        data_dir: folder.path().to_owned(),
        listeners: addresses
            .iter()
            .map(|(address, dialect)| Listener {
                url: format!("http://{address}"),
                dialect: *dialect,
            })
            .collect(),
        problems,
        places: places.clone(),
        max_connections: config.max_connections,
        store_bytes: writer.size(),
        upstreams: upstreams.clone(),
        webhooks: webhooks.clone(),
    });
    let url = report.listeners.first().map(|listener| listener.url.clone());
    let connector = Connector::new(hub.clone(), url, whereabouts(folder.path()));
    let door = Door {
        hub: hub.clone(),
        keys: keys.clone(),
    };
    let board = Board::new(hub.clone());
    let census: Arc<Census> = Arc::default();
    let amiga = Amiga::new(board.clone(), door.clone(), census.clone());
    let hooks = Hooks::new(config.hooks.gate.clone(), folder.path());
    let telemetry = otlp::Receiver::new(hooks.claims.clone());
    let (mcp, mcp_care) = Mcp::new(hub.clone(), config.approval_timeout, closed.clone());
    let app = App {
        cloud: Cloud::new(hub.clone(), config.cloud, config.rate_limit),
        door,
        settings: Settings {
            switches: config.switches,
            approval_timeout: config.approval_timeout,
            census,
            closing: closed.clone(),
            alive: alive.clone(),
        },
        report: report.clone(),
        codex: Room::new(agent, config.codex.session_store),
        board: board.clone(),
        engine: amiga.service(),
        upstreams,
        webhooks,
        connector: connector.clone(),
        hooks,
        mcp,
        otlp: telemetry.clone(),
    };
    tasks.push(tokio::spawn(deliver(app.clone(), folder.path().to_owned())));
    let closing_io = amiga::close(amiga.clone(), closed.clone(), alive.clone());
    let pacing = amiga::pace(amiga, closed.clone());
    let serving = Serving {
        router: router(app, Arc::new(names)),
        root: RootDialect(Dialect::default()),
        places,
        closing: closed,
        alive,
    };
    tasks.extend(listening.into_iter().map(|(listener, dialect)| {
        let serving = Serving {
            root: RootDialect(dialect),
            ..serving.clone()
        };
        tokio::spawn(listen::serve(listener, serving))
    }));
    tasks.push(tokio::spawn(watch_time(hub.clone())));
    tasks.push(tokio::spawn(watch_sessions(hub.clone())));
    let figures = Figures::new(board.clone());
    tasks.push(tokio::spawn(metrics::read(hub.clone(), board)));
    tasks.push(tokio::spawn(otlp::read(hub.clone(), telemetry)));
    tasks.push(tokio::spawn(mcp_care));
    tasks.push(tokio::spawn(pacing));
    tasks.push(tokio::spawn(closing_io));
    tasks.push(tokio::spawn(watch_store(hub.clone(), changes.clone())));

    if setup.approver == Approver::File {
        directions::hand_over(&folder, keys.approver())?;
    }
    directions::tell_others(&folder, &report.status(), config.auth_required)?;
    Ok(Running {
        hub,
        report,
        figures,
        connector,
        closing,
        alive: all_gone,
        tasks,
        changes,
        writer: Mutex::new(Some(writer)),
        folder,
    })
}

/// Takes the addresses that the configuration names, each with its dialect; one that cannot be had is a problem to show.
async fn bind(config: &Config, problems: &mut Vec<Problem>) -> Vec<(TcpListener, Dialect)> {
    if !config.enabled {
        problems.push(disabled());
        return Vec::new();
    }
    let mut listening = Vec::new();
    for at in config.listeners() {
        match listen::bind(&at.hosts, at.port).await {
            Ok(listeners) => listening.extend(listeners.into_iter().map(|listener| (listener, at.dialect))),
            Err((address, error)) => problems.push(cannot_listen(address, &error)),
        }
    }
    listening
}

impl Running {
    /// The hub.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// What the hub says of itself, now.
    pub fn status(&self) -> HubStatus {
        self.report.status()
    }

    /// What agents do, in figures.
    pub fn figures(&self) -> Figures {
        self.figures.clone()
    }

    /// Signals when the problems in [`Running::status`] may have changed.
    pub fn status_changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Servers that the hub is attached to.
    pub fn upstreams(&self) -> &Upstreams {
        &self.report.upstreams
    }

    /// Addresses that events are posted to.
    pub fn webhooks(&self) -> &Webhooks {
        &self.report.webhooks
    }

    /// What connects agents of this machine.
    pub fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Where data is kept.
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Stops listening, says goodbye to connections, commits what is in the log.
    pub async fn shutdown(mut self) {
        directions::take_back(&self.folder);
        self.closing.send_replace(true);
        let _ = tokio::time::timeout(CLOSING, async { while self.alive.recv().await.is_some() {} }).await;
        self.report.upstreams.close();
        for task in &self.tasks {
            task.abort();
        }
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = tokio::task::spawn_blocking(move || writer.close()).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.closing.send_replace(true);
        self.report.upstreams.close();
        for task in &self.tasks {
            task.abort();
        }
    }
}

//! History for readers: two threads with connections that cannot write, and a bounded line of questions before them. They end
//! before the writer does: a connection that only reads would keep SQLite's side files in the folder.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use countersign_hub::{Archive, ArchiveError, EventQuery, Find, Lookup, Page};
use countersign_model::{Approval, Seq, Status};
use rusqlite::types::Value;
use rusqlite::{Connection, InterruptHandle, params_from_iter};
use tokio::sync::{Semaphore, oneshot};

use crate::rows;

const THREADS: usize = 2;
/// Questions that may wait; further askers wait themselves.
const LINE: usize = 256;
/// Rows that a filtered read looks at before it gives what it has, with the place to go on from.
const SCAN: u64 = 200_000;

/// Bytes of a list of approvals, about; it ends there.
const MAX_LIST: i64 = 16 * 1024 * 1024;

type Question = Box<dyn FnOnce(&Connection) + Send>;

/// The store as a reader of the past.
pub struct Reads {
    line: Arc<Mutex<Option<SyncSender<Question>>>>,
    places: Arc<Semaphore>,
    readers: Mutex<Vec<Reader>>,
    closed: Arc<AtomicBool>,
}

struct Reader {
    thread: JoinHandle<()>,
    interrupt: InterruptHandle,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> ArchiveError {
    ArchiveError("the store is closed".into())
}

impl Reads {
    pub(crate) fn start(path: &Path) -> Result<Self, crate::StoreError> {
        let (line, questions) = sync_channel::<Question>(LINE);
        let questions = Arc::new(Mutex::new(questions));
        let closed = Arc::new(AtomicBool::new(false));
        let mut readers = Vec::with_capacity(THREADS);
        for number in 0..THREADS {
            let connection = crate::schema::open_reader(path).map_err(|source| crate::StoreError::Open {
                path: path.to_owned(),
                source,
            })?;
            let interrupt = connection.get_interrupt_handle();
            let (questions, closed) = (Arc::clone(&questions), Arc::clone(&closed));
            let thread = std::thread::Builder::new()
                .name(format!("store-read-{number}"))
                .spawn(move || serve(&connection, &questions, &closed))?;
            readers.push(Reader { thread, interrupt });
        }
        Ok(Self {
            line: Arc::new(Mutex::new(Some(line))),
            places: Arc::new(Semaphore::new(LINE)),
            readers: Mutex::new(readers),
            closed,
        })
    }

    /// Ends the reading: what is being looked up is broken off, and whoever asks from now on is told that the store is closed.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.places.close();
        drop(lock(&self.line).take());
        for Reader { thread, interrupt } in std::mem::take(&mut *lock(&self.readers)) {
            interrupt.interrupt();
            if thread.join().is_err() {
                tracing::error!("a reader of the store ended badly");
            }
        }
    }

    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Lookup<T> {
        let (line, places) = (self.line.clone(), self.places.clone());
        Box::pin(async move {
            let place = places.acquire_owned().await.map_err(|_| closed())?;
            let (answer, answered) = oneshot::channel();
            let question: Question = Box::new(move |connection| {
                // The asker may be gone; nobody else wants the answer.
                let _ = answer.send(question(connection));
                drop(place);
            });
            // Taken no earlier: a lookup that nobody polls must not keep the line open.
            match lock(&line).as_ref() {
                Some(line) => line.try_send(question).map_err(|_| closed())?,
                None => return Err(closed()),
            }
            let result = answered.await.map_err(|_| closed())?;
            result.map_err(|error| ArchiveError(error.to_string()))
        })
    }
}

fn serve(connection: &Connection, questions: &Mutex<Receiver<Question>>, closed: &AtomicBool) {
    loop {
        let next = lock(questions).recv();
        match next {
            // Dropped, it tells its asker that the store is closed.
            Ok(_) if closed.load(Ordering::Acquire) => {}
            Ok(question) => question(connection),
            Err(_) => return,
        }
    }
}

impl Archive for Reads {
    fn events(&self, query: EventQuery) -> Lookup<Page> {
        self.ask(move |connection| events(connection, &query))
    }

    fn find(&self, find: Find) -> Lookup<Vec<Approval>> {
        self.ask(move |connection| match find {
            Find::Id(id) => {
                let condition = "id = ?1";
                rows::one_approval(connection, condition, &[&id]).map(|one| one.into_iter().collect())
            }
            Find::Key(agent, request) => {
                let condition = "agent = ?1 AND request_id = ?2";
                rows::one_approval(connection, condition, &[&agent, &request]).map(|one| one.into_iter().collect())
            }
            Find::Request(request) => connection
                .prepare_cached(&format!(
                    "SELECT {} FROM approvals WHERE request_id = ?1 LIMIT 3",
                    rows::APPROVAL_COLUMNS
                ))?
                .query_map([request], rows::approval)?
                .collect(),
        })
    }

    fn approvals(&self, status: Option<Status>, limit: usize) -> Lookup<Vec<Approval>> {
        self.ask(move |connection| {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {}, length(body) FROM approvals WHERE ?1 IS NULL OR status = ?1 ORDER BY seq DESC LIMIT ?2",
                rows::APPROVAL_COLUMNS
            ))?;
            let mut rows = statement.query(rusqlite::params![status.map(Status::as_str), limit])?;
            let (mut approvals, mut bytes) = (Vec::new(), 0);
            while let (Some(row), true) = (rows.next()?, bytes < MAX_LIST) {
                bytes += row.get::<_, i64>("length(body)")?;
                approvals.push(rows::approval(row)?);
            }
            Ok(approvals)
        })
    }

    fn session_agents(&self, session: String) -> Lookup<Vec<Arc<str>>> {
        self.ask(move |connection| {
            connection
                .prepare_cached("SELECT agent FROM sessions WHERE session = ?1 LIMIT 100")?
                .query_map([session], |row| row.get::<_, String>(0).map(Arc::from))?
                .collect()
        })
    }
}

fn events(connection: &Connection, query: &EventQuery) -> rusqlite::Result<Page> {
    let newest = connection
        .prepare_cached("SELECT max(seq) FROM events")?
        .query_row([], |row| row.get::<_, Option<i64>>(0))?
        .map_or(0, rows::to_seq);
    let end = query.until.unwrap_or(Seq::MAX).min(newest);
    let filtered =
        query.streams.is_some() || !(query.kinds.is_empty() && query.agents.is_empty() && query.sessions.is_empty());
    let scanned = if filtered {
        end.min(query.since.saturating_add(SCAN))
    } else {
        end
    };
    let mut sql = format!("SELECT {} FROM events WHERE seq > ? AND seq <= ?", rows::EVENT_COLUMNS);
    let mut values = vec![
        Value::Integer(rows::from_seq(query.since)),
        Value::Integer(rows::from_seq(scanned)),
    ];
    for (column, names) in [
        ("kind", &query.kinds),
        ("agent", &query.agents),
        ("session", &query.sessions),
    ] {
        if !names.is_empty() {
            let marks = vec!["?"; names.len()].join(", ");
            sql.push_str(&format!(" AND {column} IN ({marks})"));
            values.extend(names.iter().cloned().map(Value::Text));
        }
    }
    if let Some(streams) = &query.streams {
        // One parameter for all of them: a token may name more than a statement may have.
        sql.push_str(" AND stream IN (SELECT value FROM json_each(?))");
        let names = serde_json::to_string(streams).unwrap_or_else(|_| "[]".to_owned());
        values.push(Value::Text(names));
    }
    sql.push_str(" ORDER BY seq LIMIT ?");
    values.push(Value::Integer(i64::try_from(query.limit).unwrap_or(i64::MAX)));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut page = Page::default();
    let mut bytes = 0;
    let mut full = false;
    while let Some(row) = rows.next()? {
        let event = rows::event(row)?;
        bytes += event.data.get().len() + event.extra.weight();
        page.events.push(event);
        if bytes >= query.max_bytes {
            full = true;
            break;
        }
    }
    full = full || page.events.len() >= query.limit;
    let last = page.events.last().map(|event| event.seq);
    page.next = match last {
        Some(last) if full => (last < end).then_some(last),
        _ => (scanned < end).then_some(scanned),
    };
    Ok(page)
}

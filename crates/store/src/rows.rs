//! Events and rows, to and from SQLite.

use std::sync::Arc;

use countersign_hub::{Change, Mark, Restored, Seen, Stop};
use countersign_model::{
    Approval, Decision, Delivery, Epoch, Event, Extra, Json, Millis, Origin, Scope, Seq, SessionKey, Status, Surface,
    Verdict, empty_object,
};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::value::RawValue;

/// The columns that [`event`] reads, in its order.
pub(crate) const EVENT_COLUMNS: &str = "seq, time, origin, agent, session, stream, kind, timestamp, data, (SELECT via FROM vias WHERE vias.seq = events.seq),
    (SELECT epoch FROM epochs WHERE first <= events.seq ORDER BY ordinal DESC LIMIT 1), extra";

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

fn json(row: &Row<'_>, column: usize) -> rusqlite::Result<Json> {
    let text: String = row.get(column)?;
    RawValue::from_string(text).map_err(|error| unreadable(column, error))
}

fn seq(row: &Row<'_>, column: usize) -> rusqlite::Result<Seq> {
    row.get::<_, i64>(column).map(to_seq)
}

/// SQLite's integers are signed; a place in the log is never negative.
pub(crate) fn to_seq(number: i64) -> Seq {
    u64::try_from(number).unwrap_or(0)
}

/// A place in the log as SQLite stores it; beyond its range, the largest.
pub(crate) fn from_seq(seq: Seq) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

pub(crate) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let text = |column| {
        row.get::<_, Option<String>>(column)
            .map(|text| text.map(Arc::<str>::from))
    };
    Ok(Event {
        seq: seq(row, 0)?,
        time: Millis(row.get(1)?),
        origin: Origin::parse(row.get_ref(2)?.as_str()?).unwrap_or(Origin::Hub),
        agent: row.get::<_, String>(3)?.into(),
        session: text(4)?,
        stream: text(5)?,
        kind: row.get::<_, String>(6)?.into(),
        timestamp: match row.get_ref(7)? {
            rusqlite::types::ValueRef::Null => None,
            _ => Some(json(row, 7)?),
        },
        data: json(row, 8)?,
        epoch: Epoch::new(&row.get::<_, Option<String>>(10)?.unwrap_or_default()),
        via: row
            .get::<_, Option<String>>(9)?
            .map_or_else(Vec::new, |via| via.split(',').map(Arc::from).collect()),
        extra: match row.get_ref(11)? {
            rusqlite::types::ValueRef::Null => Extra::default(),
            extra => serde_json::from_str(extra.as_str()?).map_err(|error| unreadable(11, error))?,
        },
    })
}

/// The columns that [`approval`] reads, in its order.
pub(crate) const APPROVAL_COLUMNS: &str = "body, id, agent, request_id, seq,
    (SELECT session FROM events WHERE events.seq = approvals.seq), (SELECT time FROM events WHERE events.seq = approvals.seq)";

/// What stands for an approval whose record cannot be read, and for the answer to it.
const UNREADABLE: &str = "Countersign could not read its record of this request, so the answer is no";

/// An approval, or what stands in for one that cannot be read.
pub(crate) fn approval(row: &Row<'_>) -> rusqlite::Result<Approval> {
    match row.get_ref(0)?.as_str().map(serde_json::from_str) {
        Ok(Ok(approval)) => Ok(approval),
        _ => stand_in(row),
    }
}

/// Cancelled, whatever became of it: what cannot be read approves nothing.
fn stand_in(row: &Row<'_>) -> rusqlite::Result<Approval> {
    let text =
        |column| -> rusqlite::Result<Arc<str>> { Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes()?).into()) };
    let at = Millis(row.get::<_, Option<i64>>(6)?.unwrap_or_default());
    let agent = text(2)?;
    Ok(Approval {
        id: text(1)?,
        request_id: text(3)?,
        session: text(5).unwrap_or_else(|_| agent.clone()),
        agent,
        stream: None,
        origin: Origin::Hub,
        tool_name: "unreadable".to_owned(),
        arguments: empty_object(),
        tool_info: None,
        cwd: None,
        digest: String::new(),
        edits: false,
        stops: true,
        grants: Vec::new(),
        seq: seq(row, 4)?,
        asked_at: at,
        expires_at: None,
        status: Status::Cancelled,
        decision: Some(Decision {
            decision: Verdict::Deny,
            scope: Scope::Once,
            message: Some(UNREADABLE.to_owned()),
            arguments: None,
            grants: Vec::new(),
            by: Surface::Hub,
            rule: None,
            at,
        }),
        delivery: Delivery::Undeliverable,
    })
}

/// Writes an event at its place, which is free, or (`again`) has what an earlier try left there.
pub(crate) fn write_event(transaction: &Transaction<'_>, event: &Event, again: bool) -> rusqlite::Result<()> {
    let sql = if again {
        "INSERT OR REPLACE INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    } else {
        "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    };
    transaction.prepare_cached(sql)?.execute(params![
        from_seq(event.seq),
        event.time.0,
        event.origin.as_str(),
        &*event.agent,
        event.session.as_deref(),
        event.stream.as_deref(),
        &*event.kind,
        event.timestamp.as_ref().map(|timestamp| timestamp.get()),
        event.data.get(),
        (!event.extra.is_empty()).then(|| body(&event.extra)).transpose()?,
    ])?;
    if !event.via.is_empty() {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO vias VALUES (?1, ?2)")?
            .execute(params![from_seq(event.seq), event.via.join(",")])?;
    }
    Ok(())
}

pub(crate) fn write_session(transaction: &Transaction<'_>, key: &SessionKey, first: Seq) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR IGNORE INTO sessions (session, agent, first) VALUES (?1, ?2, ?3)")?
        .execute(params![&*key.session, &*key.agent, from_seq(first)])?;
    Ok(())
}

/// Notes how far the current epoch has come, so that its numbers are not given again when its events are no longer kept.
pub(crate) fn write_reached(transaction: &Transaction<'_>, last: Seq) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE epochs SET last = ?1 WHERE ordinal = (SELECT max(ordinal) FROM epochs)")?
        .execute([from_seq(last)])?;
    Ok(())
}

fn body<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Waiting => "waiting",
        Delivery::Delivered => "delivered",
        Delivery::Undeliverable => "undeliverable",
    }
}

pub(crate) fn write_change(transaction: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::Approval(approval) => transaction
            .prepare_cached(
                "INSERT INTO approvals (id, agent, request_id, status, delivery, seq, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (id) DO UPDATE SET status = ?4, delivery = ?5, body = ?7",
            )?
            .execute(params![
                &*approval.id,
                &*approval.agent,
                &*approval.request_id,
                approval.status.as_str(),
                delivery(approval.delivery),
                from_seq(approval.seq),
                body(approval)?,
            ])?,
        Change::Stopped(stop) => transaction
            .prepare_cached("INSERT OR REPLACE INTO stops VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                &*stop.key.agent,
                &*stop.key.session,
                stop.at.0,
                body(&stop.by)?,
                stop.message,
            ])?,
        Change::Resumed(key) => transaction
            .prepare_cached("DELETE FROM stops WHERE agent = ?1 AND session = ?2")?
            .execute(params![&*key.agent, &*key.session])?,
        Change::RuleCreated(rule) => transaction
            .prepare_cached("INSERT OR REPLACE INTO rules VALUES (?1, ?2)")?
            .execute(params![&*rule.id, body(rule)?])?,
        Change::Place(place) => return write_place(transaction, &place.reader, &place.at),
        Change::Seen(seen) => return write_seen(transaction, seen),
        Change::RuleRevoked(id) => transaction
            .prepare_cached("DELETE FROM rules WHERE id = ?1")?
            .execute(params![&**id])?,
    };
    Ok(())
}

fn write_seen(transaction: &Transaction<'_>, seen: &Seen) -> rusqlite::Result<()> {
    if let Some(old) = seen.forget {
        transaction
            .prepare_cached("DELETE FROM seen WHERE mark = ?1")?
            .execute([old.0])?;
    }
    transaction
        .prepare_cached("INSERT OR REPLACE INTO seen VALUES (?1, ?2)")?
        .execute(params![seen.mark.0, from_seq(seen.seq)])?;
    Ok(())
}

pub(crate) fn write_place(transaction: &Transaction<'_>, reader: &str, place: &str) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO places VALUES (?1, ?2) ON CONFLICT (reader) DO UPDATE SET place = ?2")?
        .execute([reader, place])?;
    Ok(())
}

/// Opens a new epoch and reads what the hub starts from.
pub(crate) fn restore(connection: &mut Connection, epoch: &str) -> rusqlite::Result<Restored> {
    let transaction = connection.transaction()?;
    let place = |sql: &str| transaction.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
    // What is kept may not be all there was: go on after what was reached, so that no number is used twice.
    let last =
        place("SELECT max(coalesce((SELECT max(seq) FROM events), 0), coalesce((SELECT max(last) FROM epochs), 0))")?
            .unwrap_or(0);
    let oldest = place("SELECT min(seq) FROM events")?.unwrap_or(last + 1);
    transaction.execute("UPDATE epochs SET last = ?1 WHERE last IS NULL", [last])?;
    transaction.execute(
        "INSERT INTO epochs (epoch, first) VALUES (?1, ?2)",
        params![epoch, last + 1],
    )?;
    let epochs = transaction
        .prepare("SELECT epoch, last FROM epochs WHERE last IS NOT NULL ORDER BY ordinal")?
        .query_map([], |row| Ok((Epoch::new(&row.get::<_, String>(0)?), seq(row, 1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let (unreadable, approvals) = transaction
        .prepare(&format!(
            "SELECT {APPROVAL_COLUMNS} FROM approvals WHERE status = ?1 OR delivery = ?2 ORDER BY seq"
        ))?
        .query_map([Status::Pending.as_str(), delivery(Delivery::Waiting)], approval)?
        .collect::<rusqlite::Result<Vec<_>>>()?
        .into_iter()
        .partition::<Vec<_>, _>(Approval::is_stand_in);
    for stand_in in &unreadable {
        // The body stays as it is, for those who want to find out what happened to it.
        transaction.execute(
            "UPDATE approvals SET status = ?2, delivery = ?3 WHERE id = ?1",
            params![&*stand_in.id, stand_in.status.as_str(), delivery(stand_in.delivery)],
        )?;
    }
    let stops = transaction
        .prepare("SELECT agent, session, at, origin, message FROM stops")?
        .query_map([], |row| {
            let by: String = row.get(3)?;
            Ok(Stop {
                key: SessionKey {
                    agent: row.get::<_, String>(0)?.into(),
                    session: row.get::<_, String>(1)?.into(),
                },
                at: Millis(row.get(2)?),
                // Who stopped it matters less than that it is stopped.
                by: serde_json::from_str(&by).unwrap_or(Surface::Hub),
                message: row.get(4)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let (mut rules, mut unreadable_rules) = (Vec::new(), Vec::new());
    let mut statement = transaction.prepare("SELECT id, body FROM rules ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match row.get_ref(1)?.as_str().map(serde_json::from_str) {
            Ok(Ok(rule)) => rules.push(rule),
            // Without it a person is asked.
            _ => unreadable_rules.push(String::from_utf8_lossy(row.get_ref(0)?.as_bytes()?).into_owned()),
        }
    }
    drop(rows);
    drop(statement);
    let seen = transaction
        .prepare("SELECT mark, seq FROM seen")?
        .query_map([], |row| Ok((Mark(row.get(0)?), seq(row, 1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    transaction.commit()?;
    Ok(Restored {
        epoch: Epoch::new(epoch),
        last: to_seq(last),
        oldest: to_seq(oldest),
        epochs,
        approvals,
        stops,
        rules,
        unreadable,
        unreadable_rules,
        seen,
    })
}

/// The one approval that `condition` leaves.
pub(crate) fn one_approval(
    connection: &Connection,
    condition: &str,
    of: &[&str],
) -> rusqlite::Result<Option<Approval>> {
    connection
        .prepare_cached(&format!("SELECT {APPROVAL_COLUMNS} FROM approvals WHERE {condition}"))?
        .query_row(rusqlite::params_from_iter(of), approval)
        .optional()
}

//! `countersign status`: what runs, where, and what is wrong, in plain words or as JSON.

use std::time::Duration;

use clap::Args;
use countersign_model::{Activity, HubStatus, SessionView};
use serde::Deserialize;

use crate::failure::{Exit, Failure};
use crate::hub::{Client, Place};
use crate::output::Out;
use crate::show::{Paint, Tone, one_line, visible};

const EXAMPLES: &str = "\
Examples:
  countersign status
  countersign status --json | jq .pending

Exit code: 0 when a hub runs, 1 when none does.";

/// Say what runs: addresses, agents, what waits for an answer, what is wrong
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Print what the hub says as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Sessions {
    sessions: Vec<SessionView>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, place: &Place) -> Result<Exit, Failure> {
    let client = Client::find(place)?;
    let text = client.get_text("/api/status", &[], Duration::ZERO)?;
    let mut out = Out::open();
    if arguments.json {
        out.line(text.trim_end())?;
    } else {
        let status: HubStatus = client.read(&text)?;
        let sessions: Sessions = client.get("/api/agents", &[])?;
        for line in lines(&status, &sessions.sessions, out.paint()) {
            out.line(&line)?;
        }
    }
    out.flush()?;
    Ok(Exit::Ok)
}

fn lines(status: &HubStatus, sessions: &[SessionView], paint: Paint) -> Vec<String> {
    let urls: Vec<&str> = status.listeners.iter().map(|listener| listener.url.as_str()).collect();
    let listening = if urls.is_empty() {
        "nowhere".to_owned()
    } else {
        urls.join(" and ")
    };
    let mut lines = vec![
        format!("Countersign {} listens at {listening}", status.version),
        format!(
            "{}, {}; {}",
            plural(u64::from(status.connections), "open connection"),
            match status.approvers {
                0 => "no window is open to answer in".to_owned(),
                count => format!("{} to answer in", plural(u64::from(count), "window")),
            },
            match status.pending {
                0 => "no approval waits".to_owned(),
                1 => paint.apply(Tone::NeedsYou, "1 approval waits: `countersign answer` lists it"),
                count => paint.apply(
                    Tone::NeedsYou,
                    &format!("{count} approvals wait: `countersign answer` lists them")
                ),
            }
        ),
        format!(
            "Place {}:{}, oldest kept {}; {} of history in {}",
            status.epoch,
            status.head,
            status.oldest,
            bytes(status.store_bytes),
            visible(&status.data_dir)
        ),
    ];
    let here = sessions.iter().filter(|session| session.activity != Activity::Gone);
    for session in here.take(20) {
        let tone = match session.activity {
            Activity::NeedsYou => Tone::NeedsYou,
            Activity::Stopped | Activity::Failed => Tone::Bad,
            Activity::Working => Tone::Plain,
            Activity::Idle | Activity::Gone => Tone::Dim,
        };
        let task = session
            .task
            .as_deref()
            .map_or(String::new(), |task| format!(": {}", one_line(task, 60)));
        let who = format!("{}/{}", one_line(&session.agent, 60), one_line(&session.session, 60));
        lines.push(format!("  {who}  {}{task}", paint.apply(tone, word(session.activity))));
    }
    for problem in &status.problems {
        lines.push(paint.apply(Tone::Bad, &format!("Problem: {}", visible(&problem.message))));
    }
    lines
}

fn word(activity: Activity) -> &'static str {
    match activity {
        Activity::NeedsYou => "needs you",
        Activity::Stopped => "stopped",
        Activity::Failed => "failed",
        Activity::Working => "working",
        Activity::Idle => "idle",
        Activity::Gone => "gone",
    }
}

fn plural(count: u64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}

/// `812 B`, `12 kB`, `1.2 GB`.
fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            let decimals = usize::from(value < 10.0 && unit != "B");
            return format!("{value:.decimals$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_reads_like_words() {
        let status: HubStatus = serde_json::from_value(json!({
            "version": "0.1.0", "epoch": "ab12", "head": 40, "durable": 40, "oldest": 1,
            "listeners": [{"url": "http://127.0.0.1:8765"}, {"url": "http://[::1]:8765"}],
            "connections": 1, "approvers": 0, "pending": 2, "store_bytes": 1_234_567, "data_dir": "/data",
            "problems": [{"code": "x", "message": "The disk is full."}],
        }))
        .expect("a status");
        let session: SessionView = serde_json::from_value(json!({
            "agent": "sam", "session": "s1", "activity": "needs_you", "since": "2026-01-17T10:30:00.000Z", "task": "bash",
            "pending": 2, "stopped": false, "connections": 1, "events": 4, "last": "2026-01-17T10:30:00.000Z",
        }))
        .expect("a session");
        assert_eq!(
            lines(&status, &[session], Paint::new(false)),
            [
                "Countersign 0.1.0 listens at http://127.0.0.1:8765 and http://[::1]:8765",
                "1 open connection, no window is open to answer in; 2 approvals wait: `countersign answer` lists them",
                "Place ab12:40, oldest kept 1; 1.2 MB of history in /data",
                "  sam/s1  needs you: bash",
                "Problem: The disk is full.",
            ]
        );
    }
}

//! Plays a script: publishes what happens, in its time, and waits for a person where the script asks one.

use std::collections::HashMap;
use std::time::Duration;

use countersign_hub::{Clock, SystemClock, random_hex};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::link::{Incoming, Link};
use super::script::{Call, Outcome, Step};
use crate::hub::{HubError, Place};
use crate::output::say;
use crate::show::{gist, one_line, visible};

/// Seconds between heartbeats, of the script's time; while a person is waited for, of theirs.
const BEAT: f64 = 20.0;
const LEAST_BEAT: Duration = Duration::from_millis(500);

/// How fast, and whether it asks.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) speed: f64,
    pub(super) asks: bool,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum End {
    /// At the end of the script.
    Finished,
    /// A person stopped it.
    Stopped(Option<String>),
    /// The hub is gone.
    Lost(HubError),
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) calls: u32,
    pub(super) failed: u32,
    pub(super) approved: u32,
    pub(super) denied: u32,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.approved += other.approved;
        self.denied += other.denied;
    }
}

/// Why a run does not go on.
enum Halt {
    Stopped(Option<String>),
    /// The agent that started this one is over.
    Orphaned,
    Lost(HubError),
}

impl From<HubError> for Halt {
    fn from(error: HubError) -> Self {
        Self::Lost(error)
    }
}

/// The second agent while it runs.
struct Child {
    name: String,
    over: watch::Sender<bool>,
    task: JoinHandle<(End, Tally)>,
}

/// One agent, playing.
pub(super) struct Player {
    place: Place,
    link: Link,
    agent: String,
    session: String,
    pace: Pace,
    iteration: u64,
    tokens: u64,
    beats: u64,
    next_beat: Option<Instant>,
    /// For a person.
    waiting: bool,
    answers: HashMap<String, (bool, Option<String>)>,
    parent: Option<watch::Receiver<bool>>,
    child: Option<Child>,
    tally: Tally,
}

impl Player {
    pub(super) async fn open(place: &Place, agent: &str, session: &str, pace: Pace) -> Result<Self, HubError> {
        Ok(Self {
            place: place.clone(),
            link: Link::open(place).await?,
            agent: agent.to_owned(),
            session: session.to_owned(),
            pace,
            iteration: 0,
            tokens: 0,
            beats: 0,
            next_beat: None,
            waiting: false,
            answers: HashMap::new(),
            parent: None,
            child: None,
            tally: Tally::default(),
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.link.url
    }

    /// Plays the main agent's script to its end.
    pub(super) async fn play(mut self, steps: Vec<Step>) -> (End, Tally) {
        self.next_beat = Some(Instant::now() + self.beat_time());
        self.perform(steps).await
    }

    async fn perform(mut self, steps: Vec<Step>) -> (End, Tally) {
        let end = match self.steps(steps).await {
            Ok(()) => End::Finished,
            Err(Halt::Stopped(message)) => self.say_goodbye("stopped", message.as_deref()).await,
            Err(Halt::Orphaned) => {
                self.say_goodbye("cancelled", Some("the run that started it is over"))
                    .await
            }
            Err(Halt::Lost(error)) => End::Lost(error),
        };
        if let Some(child) = self.child.take() {
            child.over.send_replace(true);
            if let Ok((_, tally)) = child.task.await {
                self.tally.add(tally);
            }
        }
        self.link.close().await;
        (end, self.tally)
    }

    async fn say_goodbye(&mut self, status: &str, message: Option<&str>) -> End {
        let details = json!({ "message": message });
        let told = self
            .publish("agent_status", json!({ "status": status, "details": details }))
            .await;
        match told {
            Ok(()) => End::Stopped(message.map(str::to_owned)),
            Err(error) => End::Lost(error),
        }
    }

    /// Boxed because steps hold steps.
    fn steps(&mut self, steps: Vec<Step>) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Halt>> + Send + '_>> {
        Box::pin(async move {
            for step in steps {
                self.step(step).await?;
            }
            Ok(())
        })
    }

    async fn step(&mut self, step: Step) -> Result<(), Halt> {
        match step {
            Step::Think { seconds, tokens } => {
                self.iteration += 1;
                self.tokens += tokens;
                let details = json!({ "iteration": self.iteration, "tokens_used": self.tokens });
                self.publish("agent_status", json!({ "status": "processing", "details": details }))
                    .await?;
                self.wait(seconds).await
            }
            Step::Event { kind, data } => Ok(self.publish(kind, data).await?),
            Step::Call(call) => self.calls(vec![call]).await,
            Step::Together(calls) => self.calls(calls).await,
            Step::Ask {
                call,
                category,
                description,
                reason,
                then,
                otherwise,
            } => {
                let tool_info = json!({ "category": category, "description": description, "requires_approval": true });
                if self.consent(&call, &tool_info, reason).await? {
                    self.calls(vec![call]).await?;
                    self.steps(then).await
                } else {
                    self.steps(otherwise).await
                }
            }
            Step::Spawn { suffix, steps } => self.spawn(suffix, steps).await,
            Step::Join => self.join().await,
        }
    }

    /// Calls tools, all at once; each ends in its own time.
    async fn calls(&mut self, calls: Vec<Call>) -> Result<(), Halt> {
        let mut running = Vec::new();
        for call in calls {
            if let Some((reasoning, confidence)) = call.judged {
                let judged = json!({
                    "tool_name": call.tool, "decision": "approve", "reasoning": reasoning, "confidence": confidence,
                });
                self.publish("system3_evaluation", judged).await?;
            }
            let started = json!({ "tool_name": call.tool, "arguments": call.arguments, "context": {} });
            self.publish("tool_call_start", started).await?;
            running.push((Instant::now(), call));
        }
        running.sort_by(|(_, a), (_, b)| a.seconds.total_cmp(&b.seconds));
        let mut waited = 0.0;
        for (begun, call) in running {
            self.wait(call.seconds - waited).await?;
            waited = call.seconds;
            let duration = (begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
            let (error, output) = match call.outcome {
                Outcome::Gives(result) => (None, Some(result)),
                Outcome::Fails(error, output) => (Some(error), output.map(Value::from)),
            };
            self.tally.calls += 1;
            self.tally.failed += u32::from(error.is_some());
            let ended = json!({
                "tool_name": call.tool, "success": error.is_none(), "duration": duration, "error": error,
            });
            self.publish("tool_call_end", ended).await?;
            if let Some(output) = output {
                let result = json!({ "tool_name": call.tool, "result": output, "truncated": false });
                self.publish("tool_call_result", result).await?;
            }
        }
        Ok(())
    }

    /// Asks for a person's consent.
    async fn consent(&mut self, call: &Call, tool_info: &Value, reason: &str) -> Result<bool, Halt> {
        if !self.pace.asks {
            return Ok(true);
        }
        self.waiting = true;
        self.reset_beat();
        let answer = self.ask(call, tool_info, reason).await;
        self.waiting = false;
        self.reset_beat();
        answer
    }

    /// Asks, and waits for as long as it takes.
    async fn ask(&mut self, call: &Call, tool_info: &Value, reason: &str) -> Result<bool, Halt> {
        let request_id = format!("demo-{}", random_hex(8));
        let request = json!({
            "request_id": request_id, "tool_name": call.tool, "arguments": call.arguments, "tool_info": tool_info,
            "reason": reason, "cwd": super::script::CWD,
        });
        let frame = self.frame("approval_request", &request);
        self.link.send(&frame).await?;
        let what = one_line(&format!("{}: {}", call.tool, gist(&call.arguments)), 100);
        say(&format!("{} asks for {what}", self.agent));
        loop {
            if let Some((approved, message)) = self.answers.remove(&request_id) {
                self.tally.approved += u32::from(approved);
                self.tally.denied += u32::from(!approved);
                let word = if approved { "approved" } else { "denied" };
                let message = message.map_or(String::new(), |message| format!(": {}", visible(&message)));
                say(&format!("{} hears {word}{message}", self.agent));
                return Ok(approved);
            }
            if self.event(None).await? == Some(Incoming::Again) {
                // The same id and the same content are the same request.
                self.link.send(&frame).await?;
            }
        }
    }

    /// Lets so many seconds of the script pass.
    async fn wait(&mut self, seconds: f64) -> Result<(), Halt> {
        let until = Instant::now() + Duration::from_secs_f64((seconds / self.pace.speed).max(0.0));
        while Instant::now() < until {
            self.event(Some(until)).await?;
        }
        Ok(())
    }

    /// Waits for what happens first: the end of a wait, a heartbeat, a word from the hub.
    async fn event(&mut self, until: Option<Instant>) -> Result<Option<Incoming>, Halt> {
        let never = Instant::now() + Duration::from_secs(86_400);
        let beat = self.next_beat.unwrap_or(never);
        let orphaned = async {
            match &mut self.parent {
                Some(over) => {
                    let _ = over.wait_for(|over| *over).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep_until(until.unwrap_or(never)) => Ok(None),
            () = orphaned => Err(Halt::Orphaned),
            () = sleep_until(beat), if self.next_beat.is_some() => {
                self.beat().await?;
                Ok(None)
            }
            incoming = self.link.next() => match incoming? {
                Incoming::Stop { message } | Incoming::Answer { stop: true, message, .. } => Err(Halt::Stopped(message)),
                Incoming::Answer { request_id, approved, message, .. } => {
                    self.answers.insert(request_id, (approved, message));
                    Ok(None)
                }
                Incoming::Again => Ok(Some(Incoming::Again)),
            },
        }
    }

    fn beat_time(&self) -> Duration {
        let speed = if self.waiting { 1.0 } else { self.pace.speed };
        Duration::from_secs_f64(BEAT / speed).max(LEAST_BEAT)
    }

    /// The next heartbeat counts from now.
    fn reset_beat(&mut self) {
        if self.next_beat.is_some() {
            self.next_beat = Some(Instant::now() + self.beat_time());
        }
    }

    async fn beat(&mut self) -> Result<(), HubError> {
        self.reset_beat();
        self.beats += 1;
        let seconds = SystemClock.now().0 as f64 / 1000.0;
        let details = json!({ "timestamp": seconds, "heartbeat_count": self.beats });
        self.publish(
            "autonomous_activity",
            json!({ "activity_type": "heartbeat", "details": details }),
        )
        .await
    }

    async fn spawn(&mut self, suffix: &str, steps: Vec<Step>) -> Result<(), Halt> {
        let name = format!("{}{suffix}", self.agent);
        let mut player = Self::open(&self.place, &name, &format!("{}.1", self.session), self.pace).await?;
        let (over, parent) = watch::channel(false);
        player.parent = Some(parent);
        self.child = Some(Child {
            name,
            over,
            task: tokio::spawn(player.perform(steps)),
        });
        Ok(())
    }

    async fn join(&mut self) -> Result<(), Halt> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        while !child.task.is_finished() {
            let soon = Instant::now() + Duration::from_millis(20);
            if let Err(halt) = self.event(Some(soon)).await {
                self.child = Some(child);
                return Err(halt);
            }
        }
        let (end, tally) = (&mut child.task)
            .await
            .unwrap_or((End::Stopped(None), Tally::default()));
        self.tally.add(tally);
        let said = match end {
            End::Finished => "has finished its review",
            End::Stopped(_) => "was stopped; going on without its review",
            End::Lost(error) => return Err(Halt::Lost(error)),
        };
        let details = json!({ "message": format!("{} {said}", child.name) });
        Ok(self
            .publish("agent_status", json!({ "status": "processing", "details": details }))
            .await?)
    }

    async fn publish(&mut self, kind: &str, data: Value) -> Result<(), HubError> {
        let frame = self.frame(kind, &data);
        self.link.send(&frame).await
    }

    fn frame(&self, kind: &str, data: &Value) -> String {
        json!({
            "type": kind,
            "timestamp": SystemClock.now().to_rfc3339(),
            "data": data,
            "agent": self.agent,
            "session": self.session,
        })
        .to_string()
    }
}

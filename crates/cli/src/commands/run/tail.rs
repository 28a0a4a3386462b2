//! What a program says, as far as it is told: everything while it is little, the newest 64 KiB of what is more. Nothing here slows
//! the program down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

/// Bytes of each stream that are kept for telling.
const KEPT: usize = 64 * 1024;
/// Bytes that may be told at once, and what more each second, so that a program that never stops talking does not fill the history.
const BURST: usize = 64 * 1024;
const PER_SECOND: usize = 4 * 1024;
/// Ticks after which a line is told that has no end yet: a prompt, say.
const UNENDED: u32 = 4;

/// One of a program's two voices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    Out = 0,
    Err = 1,
}

impl Voice {
    fn name(self) -> &'static str {
        match self {
            Self::Out => "stdout",
            Self::Err => "stderr",
        }
    }
}

/// Shared between those who listen to the program and the one who tells.
#[derive(Clone)]
pub(super) struct Tail(Arc<Mutex<State>>);

struct State {
    voices: [Said; 2],
    /// Bytes that may be told now.
    budget: usize,
    /// What the budget gains between ticks, in thousandths of a byte, that has not made a byte yet.
    gained: usize,
    open: u32,
}

#[derive(Default)]
struct Said {
    bytes: Vec<u8>,
    /// Bytes that are not told, before those that are kept.
    skipped: u64,
    /// Ticks that a line without an end has waited.
    waited: u32,
}

impl Tail {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            voices: Default::default(),
            budget: BURST,
            gained: 0,
            open: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody listens.
    pub(super) fn open(&self) {
        self.lock().open += 1;
    }

    /// One who listened has heard the end.
    pub(super) fn close(&self) {
        self.lock().open -= 1;
    }

    /// Whether all was heard.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().open == 0
    }

    /// The program said something.
    pub(super) fn hear(&self, voice: Voice, bytes: &[u8]) {
        let mut state = self.lock();
        let said = &mut state.voices[voice as usize];
        said.bytes.extend_from_slice(bytes);
        let more = said.bytes.len().saturating_sub(KEPT);
        if more > 0 {
            said.bytes.drain(..more);
            said.skipped += more as u64;
        }
    }

    /// What is to be told now, `since` the last time.
    pub(super) fn due(&self, since: Duration) -> Vec<Value> {
        let mut state = self.lock();
        let gained = state.gained + PER_SECOND * usize::try_from(since.as_millis()).unwrap_or(0);
        state.gained = gained % 1000;
        state.budget = (state.budget + gained / 1000).min(BURST);
        let mut told = Vec::new();
        for voice in [Voice::Out, Voice::Err] {
            let budget = state.budget;
            let said = &mut state.voices[voice as usize];
            let mut end = match said.bytes.iter().rposition(|byte| *byte == b'\n') {
                Some(newline) => newline + 1,
                None if said.bytes.is_empty() => 0,
                None => {
                    said.waited += 1;
                    if said.waited < UNENDED { 0 } else { whole(&said.bytes) }
                }
            };
            if end > budget {
                // Later, with what comes until then; or its newest part, at the end.
                end = said.bytes[..budget]
                    .iter()
                    .rposition(|byte| *byte == b'\n')
                    .map_or(0, |newline| newline + 1);
            }
            if end > 0 {
                told.push(said.tell(voice, end));
                state.budget -= end;
            }
        }
        told
    }

    /// What is left at the end.
    pub(super) fn rest(&self) -> Vec<Value> {
        let mut state = self.lock();
        [Voice::Out, Voice::Err]
            .into_iter()
            .filter_map(|voice| {
                let said = &mut state.voices[voice as usize];
                let end = said.bytes.len();
                (end > 0 || said.skipped > 0).then(|| said.tell(voice, end))
            })
            .collect()
    }
}

impl Said {
    fn tell(&mut self, voice: Voice, end: usize) -> Value {
        let text: Vec<u8> = self.bytes.drain(..end).collect();
        self.waited = 0;
        let mut data = json!({ "stream": voice.name(), "text": String::from_utf8_lossy(&text) });
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0 {
            data["skipped_bytes"] = skipped.into();
        }
        data
    }
}

/// How much of it does not end within a character.
fn whole(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(250);

    fn texts(told: &[Value]) -> Vec<&str> {
        told.iter().map(|said| said["text"].as_str().expect("text")).collect()
    }

    #[test]
    fn lines_are_told_whole_and_each_voice_by_itself() {
        let tail = Tail::new();
        tail.hear(Voice::Out, b"one\ntw");
        tail.hear(Voice::Err, b"oh\n");
        let told = tail.due(TICK);
        assert_eq!(texts(&told), ["one\n", "oh\n"]);
        assert_eq!(
            (&told[0]["stream"], &told[1]["stream"]),
            (&json!("stdout"), &json!("stderr"))
        );
        tail.hear(Voice::Out, b"o\n");
        assert_eq!(texts(&tail.due(TICK)), ["two\n"]);
        assert!(tail.due(TICK).is_empty() && tail.rest().is_empty());
    }

    #[test]
    fn a_prompt_is_told_after_a_while_and_never_within_a_character() {
        let tail = Tail::new();
        tail.hear(Voice::Out, "Name: \u{fc}".as_bytes().split_last().expect("bytes").1);
        let told: Vec<_> = (0..UNENDED).map(|_| tail.due(TICK)).collect();
        assert!(told[..told.len() - 1].iter().all(Vec::is_empty));
        assert_eq!(texts(told.last().expect("ticks")), ["Name: "]);
    }

    #[test]
    fn of_much_the_newest_is_kept_and_what_is_left_out_is_counted() {
        let tail = Tail::new();
        for n in 0..100_000 {
            tail.hear(Voice::Out, format!("{n:08}\n").as_bytes());
        }
        let rest = tail.rest();
        let text = rest[0]["text"].as_str().expect("text");
        assert!(text.ends_with("00099999\n") && text.len() == KEPT);
        assert_eq!(rest[0]["skipped_bytes"], 900_000 - KEPT);
    }

    #[test]
    fn a_program_that_never_stops_is_told_a_little_a_second() {
        let tail = Tail::new();
        let mut told = 0;
        for _ in 0..400 {
            tail.hear(Voice::Out, &b"x\n".repeat(KEPT));
            told += tail
                .due(TICK)
                .iter()
                .map(|said| said["text"].as_str().expect("text").len())
                .sum::<usize>();
        }
        assert!(told <= BURST + 100 * PER_SECOND && told > BURST, "{told}");
    }
}

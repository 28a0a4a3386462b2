//! Colours, where a terminal shows them. A colour never speaks alone: the words say the same.

/// What a piece of a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As the terminal has it.
    Plain,
    /// In the background: times, what came of something.
    Dim,
    /// Somebody is waited for.
    NeedsYou,
    /// It went well.
    Good,
    /// It failed, or was stopped.
    Bad,
    /// Somebody stepped in, or judged.
    Judged,
}

/// Paints, or leaves text as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    pub(crate) fn new(on: bool) -> Self {
        Self { on }
    }

    pub(crate) fn apply(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => "",
            Tone::Dim => "2",
            Tone::NeedsYou => "1;33",
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Judged => "35",
        };
        if self.on && !code.is_empty() && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

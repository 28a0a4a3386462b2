//! Where a program's words come by on their way: they go on unchanged to where they would have gone, and are heard.

use std::fs::File;
use std::io::{self, IsTerminal, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::tail::{Tail, Voice};

/// How often whoever listens sees whether it is to go on.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// Pipes, not listened to yet.
type Pipes = Vec<(Voice, PipeReader, File)>;

/// Those who listen.
pub(super) struct Ears {
    pipes: Pipes,
    listening: Vec<JoinHandle<Heard>>,
    enough: Arc<AtomicBool>,
}

/// How listening ended.
enum Heard {
    /// Nothing more is said, or nobody reads it.
    All,
    /// It could not be written.
    Lost(io::Error),
    /// There may be more.
    Open(PipeReader, File),
}

impl Ears {
    /// A terminal stays the program's own. Where both voices go to one place they share a pipe, which keeps their order.
    pub(super) fn fit(program: &mut Command) -> io::Result<Self> {
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let err = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let one_place = same(&out, &err);
        let mut pipes = Vec::new();
        let mut writer: Option<PipeWriter> = None;
        if !out.is_terminal() {
            let (reader, end) = io::pipe()?;
            program.stdout(Stdio::from(end.try_clone()?));
            writer = Some(end);
            pipes.push((Voice::Out, reader, out));
        }
        if !err.is_terminal() {
            match writer.filter(|_| one_place) {
                Some(end) => {
                    program.stderr(Stdio::from(end));
                }
                None => {
                    let (reader, end) = io::pipe()?;
                    program.stderr(Stdio::from(end));
                    pipes.push((Voice::Err, reader, err));
                }
            }
        }
        Ok(Self {
            pipes,
            listening: Vec::new(),
            enough: Arc::default(),
        })
    }

    pub(super) fn listen(&mut self, tail: &Tail) {
        for (voice, from, to) in std::mem::take(&mut self.pipes) {
            let (tail, enough) = (tail.clone(), self.enough.clone());
            tail.open();
            self.listening.push(std::thread::spawn(move || {
                let heard = hear(from, to, &enough, |bytes| tail.hear(voice, bytes));
                tail.close();
                heard
            }));
        }
    }

    /// Ends listening. What may still be said goes where it would have gone, by a program of its own; what could not be written is
    /// the error.
    pub(super) fn let_go(self) -> Option<io::Error> {
        self.enough.store(true, Ordering::Relaxed);
        let mut lost = None;
        for listener in self.listening {
            match listener.join() {
                Ok(Heard::Open(from, to)) => pass_on(from, to),
                Ok(Heard::Lost(error)) => lost = Some(error),
                Ok(Heard::All) | Err(_) => {}
            }
        }
        lost
    }
}

fn hear(mut from: PipeReader, mut to: File, enough: &AtomicBool, tell: impl Fn(&[u8])) -> Heard {
    let mut piece = vec![0; 64 * 1024];
    loop {
        // What is there already is taken along.
        let mut waiting = [PollFd::new(&from, PollFlags::IN)];
        match poll(&mut waiting, Some(&LOOK)) {
            Ok(0) if enough.load(Ordering::Relaxed) => return Heard::Open(from, to),
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(_) => return Heard::All,
        }
        match from.read(&mut piece) {
            Ok(0) => return Heard::All,
            Ok(count) => {
                tell(&piece[..count]);
                match to.write_all(&piece[..count]) {
                    Ok(()) => {}
                    // Nobody reads any more: the program is to hear of that as it would have, by its pipe.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Heard::All,
                    Err(error) => return Heard::Lost(error),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Heard::All,
        }
    }
}

/// Lets what still comes from a pipe go its way after the end of this program.
fn pass_on(from: PipeReader, to: File) {
    let _ = Command::new("cat")
        .stdin(Stdio::from(from))
        .stdout(Stdio::from(to))
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
}

fn same(one: &File, other: &File) -> bool {
    match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

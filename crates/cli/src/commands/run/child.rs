//! The program that is run: started, listened to, signalled, waited for. What it says goes on unchanged to where it would have gone.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};

use rustix::process::{
    Pid, WaitId, WaitIdOptions, kill_current_process_group, kill_process, kill_process_group, waitid,
};
use tokio::sync::oneshot;

use super::Labels;
use super::tail::{Tail, Voice};

pub(super) use rustix::process::Signal;

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself.
    Exit(u8),
    /// By a signal, named.
    Signal(String),
}

impl End {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exit(code.to_le_bytes()[0]),
            (None, signal) => Self::Signal(name(signal.unwrap_or_default())),
        }
    }

    /// What a shell would say.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Exit(code) => *code,
            Self::Signal(signal) => {
                let number = (1..=64).find(|number| name(*number) == *signal);
                128 + number.unwrap_or_default().to_le_bytes()[0]
            }
        }
    }
}

fn name(signal: i32) -> String {
    let known = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
    ];
    let found = known.iter().find(|(known, _)| known.as_raw() == signal);
    found.map_or_else(|| format!("SIG{signal}"), |(_, name)| (*name).to_owned())
}

/// A program that runs.
pub(super) struct Child {
    child: std::process::Child,
    pid: Pid,
    /// It has a process group of its own. At a terminal it shares ours, or it could not read what is typed.
    own_group: bool,
    ended: oneshot::Receiver<()>,
}

impl Child {
    pub(super) fn start(command: &[OsString], labels: &Labels, tail: &Tail) -> io::Result<Self> {
        let own_group = !io::stdin().is_terminal();
        let mut program = Command::new(&command[0]);
        program
            .args(&command[1..])
            .env("COUNTERSIGN_AGENT", &labels.agent)
            .env("COUNTERSIGN_SESSION", &labels.session);
        if own_group {
            program.process_group(0);
        }
        let ears = Ears::fit(&mut program)?;
        let child = program.spawn()?;
        // It holds the writing ends of the pipes, which must close with the program.
        drop(program);
        ears.listen(tail);
        let pid = Pid::from_child(&child);
        let (tell, ended) = oneshot::channel();
        std::thread::spawn(move || {
            // It is not reaped here: until then its number, and its group's, are nobody else's.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
            let _ = tell.send(());
        });
        Ok(Self {
            child,
            pid,
            own_group,
            ended,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end. May be dropped at any time before.
    pub(super) async fn ended(&mut self) -> End {
        let _ = (&mut self.ended).await;
        match self.child.wait() {
            Ok(status) => End::of(status),
            Err(_) => End::Exit(1),
        }
    }

    /// A signal that was meant for the program.
    pub(super) fn pass_on(&self, signal: Signal) {
        let _ = if self.own_group {
            kill_process_group(self.pid, signal)
        } else if matches!(signal, Signal::INT | Signal::QUIT) {
            // The terminal gives what is typed to the program, too.
            Ok(())
        } else {
            kill_process(self.pid, signal)
        };
    }

    /// The program is to end, and what it started.
    pub(super) fn end(&self, signal: Signal) {
        let _ = if self.own_group {
            kill_process_group(self.pid, signal)
        } else if signal == Signal::INT {
            // As Ctrl-C does; here it is heard, and not passed on.
            kill_current_process_group(signal)
        } else {
            kill_process(self.pid, signal)
        };
    }
}

/// Where the program's words come by on their way.
struct Ears(Vec<(Voice, PipeReader, File)>);

impl Ears {
    /// A terminal stays the program's own. Where both voices go to one place they share a pipe, which keeps their order.
    fn fit(program: &mut Command) -> io::Result<Self> {
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let err = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let one_place = same(&out, &err);
        let mut ears = Vec::new();
        let mut writer: Option<PipeWriter> = None;
        if !out.is_terminal() {
            let (reader, end) = io::pipe()?;
            program.stdout(Stdio::from(end.try_clone()?));
            writer = Some(end);
            ears.push((Voice::Out, reader, out));
        }
        if !err.is_terminal() {
            match writer.filter(|_| one_place) {
                Some(end) => {
                    program.stderr(Stdio::from(end));
                }
                None => {
                    let (reader, end) = io::pipe()?;
                    program.stderr(Stdio::from(end));
                    ears.push((Voice::Err, reader, err));
                }
            }
        }
        Ok(Self(ears))
    }

    fn listen(self, tail: &Tail) {
        for (voice, mut from, mut to) in self.0 {
            let tail = tail.clone();
            tail.open();
            std::thread::spawn(move || {
                let mut piece = vec![0; 64 * 1024];
                loop {
                    match from.read(&mut piece) {
                        Ok(0) => break,
                        Ok(count) => {
                            // Nobody reads any more: the program is to hear of that as it would have.
                            if to.write_all(&piece[..count]).is_err() {
                                break;
                            }
                            tail.hear(voice, &piece[..count]);
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => break,
                    }
                }
                drop(from);
                tail.close();
            });
        }
    }
}

fn same(one: &File, other: &File) -> bool {
    match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_said_as_a_shell_says_it() {
        let of = |raw| End::of(ExitStatus::from_raw(raw));
        for (raw, end, code) in [
            (0, End::Exit(0), 0),
            (3 << 8, End::Exit(3), 3),
            (255 << 8, End::Exit(255), 255),
            (2, End::Signal("SIGINT".into()), 130),
            (9, End::Signal("SIGKILL".into()), 137),
            (34, End::Signal("SIG34".into()), 162),
        ] {
            assert_eq!((of(raw), of(raw).code()), (end, code), "{raw}");
        }
    }
}

//! The program that is run: started, signalled, waited for. What it says is for `ears`.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};

use rustix::process::{
    Pid, WaitId, WaitIdOptions, kill_current_process_group, kill_process, kill_process_group, test_kill_process_group,
    waitid,
};
use tokio::sync::oneshot;

use super::Labels;
use super::ears::Ears;
use super::tail::Tail;

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
    ears: Ears,
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
        let mut ears = Ears::fit(&mut program)?;
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
            ears,
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

    /// Whether what it started has outlived it; to be asked once it has ended.
    pub(super) fn left_any(&self) -> bool {
        self.own_group && test_kill_process_group(self.pid).is_ok()
    }

    /// What it left running goes on speaking as before, with nobody listening. Says what could not be written of what was said so far.
    pub(super) fn let_go(self) -> Option<io::Error> {
        self.ears.let_go()
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

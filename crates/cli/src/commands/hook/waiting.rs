//! The patience of a hook that a person decides about: as long as it takes, while the hub holds the line and the agent is there.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::wire::{Lost, Part, Patience};

/// How often it is looked whether the agent still lives, where nothing tells of it.
const LOOK: Duration = Duration::from_secs(1);

/// Who started this process: whoever comes later in its place is not the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent(u32);

impl Parent {
    pub(super) fn now() -> Self {
        #[cfg(unix)]
        return Self(std::os::unix::process::parent_id());
        #[cfg(not(unix))]
        Self(0)
    }

    fn is_there(self) -> bool {
        self == Self::now()
    }

    /// Sleeps; says whether the agent is still there.
    pub(super) fn sleep(self, time: Duration) -> Result<(), Lost> {
        let end = Instant::now() + time;
        loop {
            if !self.is_there() || reader_is_gone(None, Duration::ZERO) == Some(Ready::Orphaned) {
                return Err(Lost::Orphaned);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }
}

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    /// The hub said something.
    Hub,
    /// Nobody can read the answer any more.
    Orphaned,
}

/// Waits for the hub's words (or, without a connection, not at all), or for the end of whoever reads ours. A pipe or a socket tells
/// of that by itself, also behind a shell that stands between the agent and this process.
#[cfg(unix)]
fn reader_is_gone(stream: Option<&TcpStream>, time: Duration) -> Option<Ready> {
    use std::os::fd::AsFd;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let out = std::io::stdout();
    // Without events only what is wrong with it is told.
    let mut fds = vec![PollFd::from_borrowed_fd(out.as_fd(), PollFlags::empty())];
    fds.extend(stream.map(|stream| PollFd::new(stream, PollFlags::IN)));
    let time = Timespec {
        tv_sec: time.as_secs().cast_signed(),
        tv_nsec: time.subsec_nanos().into(),
    };
    poll(&mut fds, Some(&time)).ok()?;
    if fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
        return Some(Ready::Orphaned);
    }
    let said = fds.get(1).is_some_and(|hub| !hub.revents().is_empty());
    said.then_some(Ready::Hub)
}

#[cfg(not(unix))]
fn reader_is_gone(stream: Option<&TcpStream>, time: Duration) -> Option<Ready> {
    let stream = stream?;
    stream.set_read_timeout(Some(time)).ok()?;
    Some(Ready::Hub)
}

/// Waits for a decision.
pub(super) struct Waiting {
    parent: Parent,
    /// Until when the hub must have shown that it holds the line; without it, whenever.
    head: Option<Instant>,
    /// Whether it has.
    held: std::cell::Cell<bool>,
}

impl Waiting {
    pub(super) fn new(parent: Parent, head: Option<Instant>) -> Self {
        Self {
            parent,
            head,
            held: false.into(),
        }
    }

    /// Whether the hub took the question and held the line.
    pub(super) fn was_held(&self) -> bool {
        self.held.get()
    }
}

impl Patience for Waiting {
    fn wait(&self, stream: &TcpStream, part: Part) -> Result<(), Lost> {
        if part == Part::Held {
            self.held.set(true);
        }
        let end = self.head.filter(|_| part == Part::Due);
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Lost::Late);
            }
            match reader_is_gone(Some(stream), left.map_or(LOOK, |left| left.min(LOOK))) {
                Some(Ready::Hub) => return Ok(()),
                Some(Ready::Orphaned) => return Err(Lost::Orphaned),
                None if !self.parent.is_there() => return Err(Lost::Orphaned),
                None => {}
            }
        }
    }

    fn sending(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// Lets the system find out that the hub's machine is gone: a person may take a day, and no packet is sent meanwhile.
pub(super) fn keep_alive(stream: &TcpStream) {
    #[cfg(unix)]
    {
        use rustix::net::sockopt;
        let _ = sockopt::set_socket_keepalive(stream, true);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            let _ = sockopt::set_tcp_keepidle(stream, Duration::from_secs(30));
            let _ = sockopt::set_tcp_keepintvl(stream, Duration::from_secs(10));
            let _ = sockopt::set_tcp_keepcnt(stream, 3);
        }
    }
    #[cfg(not(unix))]
    let _ = stream;
}

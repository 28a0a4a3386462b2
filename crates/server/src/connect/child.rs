//! Programs that are run to be asked something: bounded in time and in what they say.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

/// Bytes of output that are read.
const MOST: u64 = 1024 * 1024;

/// Runs a program to its end, or to the end of `time`, and returns what it said on standard output.
pub(super) fn output(mut command: Command, input: &[u8], time: Duration) -> io::Result<Vec<u8>> {
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // It may end without having read.
        let _ = stdin.write_all(input);
    }
    let said = reader(child.stdout.take()).recv_timeout(time);
    // What has closed its output has said all; what has not is out of time.
    end(&mut child);
    said.map_err(|_| io::ErrorKind::TimedOut.into())
}

/// Runs a program to its end, or to the end of `time`, and returns what it said on standard error.
pub(super) fn complaints(mut command: Command, time: Duration) -> io::Result<Vec<u8>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let said = reader(child.stderr.take()).recv_timeout(time);
    end(&mut child);
    said.map_err(|_| io::ErrorKind::TimedOut.into())
}

/// Ends a program that is no longer needed.
pub(super) fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> std::sync::mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            let _ = pipe.take(MOST).read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

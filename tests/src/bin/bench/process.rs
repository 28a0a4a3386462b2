//! What the system says of a process: time on a core, memory, children. Linux alone has it in this form.

use anyhow::{Context, Result};

/// Ticks a second in `/proc/PID/stat`; the kernel's interface fixes it on every common platform.
const TICKS: f64 = 100.0;

/// Seconds that the process has spent on cores, its own and the kernel's for it.
pub(crate) fn core_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = after_name(&stat)?;
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok());
    // proc(5) counts from 1: utime is field 14, stime field 15; the name is field 2.
    let used = ticks(11).zip(ticks(12)).context("/proc/PID/stat has another form")?;
    Ok((used.0 + used.1) / TICKS)
}

fn after_name(stat: &str) -> Result<Vec<&str>> {
    // The name may hold spaces and brackets.
    let (_, rest) = stat.rsplit_once(')').context("/proc/PID/stat has another form")?;
    Ok(rest.split_whitespace().collect())
}

/// Bytes of the process in memory.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|value| value.trim().split(' ').next()?.parse::<u64>().ok())
        .context("/proc/PID/status has no VmRSS")?;
    Ok(kib * 1024)
}

/// The process's name.
pub(crate) fn name(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).map_or_else(|_| "?".to_owned(), |name| name.trim().to_owned())
}

/// The process and all below it.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let parent = after_name(&stat).ok()?.get(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut tree = vec![root];
    let mut place = 0;
    while place < tree.len() {
        let parent = tree[place];
        tree.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        place += 1;
    }
    tree
}

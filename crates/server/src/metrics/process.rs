//! The process as the system sees it, by the names that all clients of Prometheus give.

use super::families as names;
use super::text::Text;

/// What is known of the process; nothing where the system does not tell.
#[derive(Debug, Default)]
pub(super) struct Process {
    cpu_seconds: Option<f64>,
    memory_bytes: Option<f64>,
    open_fds: Option<f64>,
    max_fds: Option<f64>,
    started_seconds: Option<f64>,
}

impl Process {
    /// Adds what is known.
    pub(super) fn tell(&self, text: &mut Text) {
        let all = [
            (&names::PROCESS_CPU, self.cpu_seconds),
            (&names::PROCESS_MEMORY, self.memory_bytes),
            (&names::PROCESS_FDS, self.open_fds),
            (&names::PROCESS_MAX_FDS, self.max_fds),
            (&names::PROCESS_START, self.started_seconds),
        ];
        for (family, value) in all {
            if let Some(value) = value {
                text.put(family, &[], value);
            }
        }
    }

    /// How it is now.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn look() -> Self {
        Self::default()
    }

    /// How it is now.
    #[cfg(target_os = "linux")]
    pub(super) fn look() -> Self {
        use rustix::param::{clock_ticks_per_second, page_size};
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The name of the process may have blanks and brackets: what counts is behind the last one.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        // The first of these is the third of proc(5).
        let field = |number: usize| fields.split_whitespace().nth(number - 3)?.parse().ok();
        let seconds = |number| Some(field(number)? as f64 / clock_ticks_per_second() as f64);
        let field = |number: usize| -> Option<u64> { field(number) };
        Self {
            cpu_seconds: seconds(14)
                .zip(seconds(15))
                .map(|(user, kernel)| user + kernel),
            memory_bytes: field(24).map(|pages| pages as f64 * page_size() as f64),
            open_fds: std::fs::read_dir("/proc/self/fd")
                .ok()
                // One of them is that very look.
                .map(|files| files.count().saturating_sub(1) as f64),
            max_fds: max_fds(),
            started_seconds: seconds(22)
                .zip(booted_seconds())
                .map(|(after, boot)| boot + after),
        }
    }
}

#[cfg(target_os = "linux")]
fn max_fds() -> Option<f64> {
    let (soft, _) = rlimit::Resource::NOFILE.get().ok()?;
    Some(soft as f64)
}

#[cfg(target_os = "linux")]
fn booted_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

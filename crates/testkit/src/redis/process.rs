//! A process that is ended when dropped, its ports, and questions to it.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use redis::{FromRedisValue, RedisResult};
use rustix::process::{Pid, Signal, kill_process};

/// So often, and so many times, it is looked whether something came about: 30 seconds in all.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const LOOKS_MOST: u32 = 3_000;

/// Ports below those that the system gives to whoever connects. In a cluster, 10,000 above a port the servers talk.
const PORTS: std::ops::Range<u16> = 20_000..22_700;
const BUS_ABOVE: u16 = 10_000;

/// Names the server to start, a redis-server or valkey-server: a whole path, or a name that is found.
const PROGRAM_IN: &str = "CALLER_ID_REDIS_SERVER";
const PROGRAM: &str = "redis-server";

/// A running redis-server.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts redis-server with these arguments.
    pub(super) fn start(arguments: &[String], folder: &Path) -> Self {
        let program = program();
        let child = Command::new(&program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap_or_else(|error| {
            panic!(
                "{} does not start ({error}); install it: apt-get install redis-server, or make deps; or name another in \
                 {PROGRAM_IN}",
                program.display()
            )
        }))
    }

    /// How it ended, when it did.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("the server takes signals");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tells tests which server they try, it is no setting of the service"
)]
fn program() -> OsString {
    let named = std::env::var_os(PROGRAM_IN).filter(|name| !name.is_empty());
    named.unwrap_or_else(|| PROGRAM.into())
}

/// A port that is free now, and so is the one where servers of a cluster talk.
pub(super) fn free_port() -> u16 {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let ports = u32::from(PORTS.end - PORTS.start);
    for _ in 0..ports {
        // Tests run as many processes at once: each begins somewhere else.
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        let place = (std::process::id().wrapping_mul(97).wrapping_add(tried)) % ports;
        let port = PORTS.start + u16::try_from(place).unwrap_or(0);
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free(port) && free(port + BUS_ABOVE) {
            return port;
        }
    }
    panic!("no port from {} to {} is free", PORTS.start, PORTS.end);
}

/// Looks until something is there.
///
/// # Panics
/// When it is not there in time: then `what` is named.
pub(super) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS_MOST {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(LOOK_EVERY);
    }
    panic!("waited in vain: {what}");
}

/// What the server at `url` answers to a command.
pub(super) fn ask<T: FromRedisValue>(url: &str, words: &[&str]) -> RedisResult<T> {
    let client = redis::Client::open(url)?;
    let patience = Duration::from_secs(5);
    let mut connection = client.get_connection_with_timeout(patience)?;
    connection.set_read_timeout(Some(patience))?;
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(*word);
    }
    command.query(&mut connection)
}

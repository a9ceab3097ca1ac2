//! Processes that end with the test, and what tests wait for.

use std::net::{TcpListener, UdpSocket};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use caller_id_core::{Clock, SystemClock};

/// The admin token of every service here.
pub(crate) const TOKEN: &str = "horse-battery-staple-7";

/// So often it is looked whether something came about, for so long.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOK_MOST_MS: i64 = 60_000;

/// A process that is ended when dropped, so also when a test fails.
pub(crate) struct Guarded(pub(crate) Child);

impl Guarded {
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command.spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}")))
    }

    /// Asks it to end, and waits until it has; after ten seconds it is not asked.
    pub(crate) fn end(&mut self) {
        const LOOKS: u32 = 500;
        let id = self.0.id().to_string();
        // It may have ended by itself.
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        for _ in 0..LOOKS {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(LOOK_EVERY);
        }
        eprintln!("process {id} does not end when it is asked to: killed");
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Sends it that signal, as `kill` does.
    pub(crate) fn signal(&self, name: &str) {
        let told = Command::new("kill")
            .args([name, &self.0.id().to_string()])
            .status();
        assert!(told.expect("kill runs").success());
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until `look` finds something.
///
/// # Panics
/// Nothing is found in 60 seconds.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let clock = SystemClock::new();
    let begun = clock.now();
    while clock.now().ms_since(begun) < LOOK_MOST_MS {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(LOOK_EVERY);
    }
    panic!("{what}: not within {LOOK_MOST_MS} ms");
}

/// A UDP port of 127.0.0.1 that is free now.
pub(crate) fn udp_port() -> u16 {
    free_port(|address| UdpSocket::bind(address).is_ok())
}

/// A TCP port of 127.0.0.1 that is free now.
pub(crate) fn tcp_port() -> u16 {
    free_port(|address| TcpListener::bind(address).is_ok())
}

/// It is none of those that the system gives to connections by itself: one of them would have it before the server starts.
fn free_port(binds: impl Fn((&str, u16)) -> bool) -> u16 {
    const TRIES: usize = 1_000;
    let mut ports = (0..TRIES).map(|_| rand::random_range(10_000..32_000));
    let free = ports.find(|port| binds(("127.0.0.1", *port)));
    free.expect("a port is free")
}

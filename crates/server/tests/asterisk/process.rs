//! Processes that end with the test, and what tests wait for.

use std::net::{TcpListener, UdpSocket};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

/// The admin token of every service here.
pub(crate) const TOKEN: &str = "horse-battery-staple-7";

/// So often, and so many times, it is looked whether something came about: 60 seconds in all.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS_MOST: u32 = 3_000;

/// A process that is ended when dropped, so also when a test fails.
pub(crate) struct Guarded(pub(crate) Child);

impl Guarded {
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command.spawn();
        Self(child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}")))
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(&mut self) {
        let id = self.0.id().to_string();
        // It may have ended by itself.
        let _ = Command::new("kill").args(["-TERM", &id]).status();
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
    for _ in 0..LOOKS_MOST {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(LOOK_EVERY);
    }
    panic!("{what}: not within {:?}", LOOK_EVERY * LOOKS_MOST);
}

/// A UDP port of 127.0.0.1 that is free now.
pub(crate) fn udp_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    socket.local_addr().expect("an address").port()
}

/// A TCP port of 127.0.0.1 that is free now.
pub(crate) fn tcp_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("an address").port()
}

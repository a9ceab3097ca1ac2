//! What the service tells whoever runs it (systemd, `Type=notify`): that it is ready, that it lives, that it stops.
//!
//! The protocol of `sd_notify(3)`: a datagram of `NAME=value` lines to the socket that `NOTIFY_SOCKET` names. Without that
//! variable nothing is told, and nothing is missing.

use std::time::Duration;

#[cfg(unix)]
use std::os::unix::net::{SocketAddr, UnixDatagram};

use anyhow::{Context, ensure};

use crate::config::ConfigError;
use crate::config::source::{Environment, Source};

const SOCKET: &str = "NOTIFY_SOCKET";
const WATCHDOG: &str = "WATCHDOG_USEC";
const WATCHED: &str = "WATCHDOG_PID";
/// So many signs of life are due in the time that systemd waits for one: two may be late.
const SIGNS: u32 = 3;

/// Whoever runs the service, as far as there is somebody who listens.
#[derive(Debug, Default)]
pub struct Supervisor {
    #[cfg(unix)]
    socket: Option<(UnixDatagram, SocketAddr)>,
    patience: Option<Duration>,
}

impl Supervisor {
    /// Who runs this process, from the environment itself: `.env` has no say in it.
    ///
    /// # Errors
    /// A socket that cannot be used, a time that is none.
    pub fn of(environment: &Environment) -> anyhow::Result<Self> {
        let said = |name| match environment.get(name) {
            Some((value, Source::Environment)) => Some(value),
            _ => None,
        };
        let Some(socket) = said(SOCKET) else {
            return Ok(Self::default());
        };
        let patience = said(WATCHDOG)
            .map(|text| {
                let micros = text.parse::<u64>().ok().filter(|&micros| micros > 0);
                let expected = || ConfigError::new(WATCHDOG, text, "expected microseconds");
                micros.map(Duration::from_micros).ok_or_else(expected)
            })
            .transpose()?;
        // A child of the process that is watched inherits the variables, and is not watched.
        let ours = said(WATCHED).is_none_or(|pid| pid == std::process::id().to_string());
        Self::at(socket, patience.filter(|_| ours))
            .with_context(|| format!("cannot tell whoever runs the service ({SOCKET}={socket})"))
    }

    #[cfg(unix)]
    fn at(socket: &str, patience: Option<Duration>) -> anyhow::Result<Self> {
        let address = address(socket)?;
        let own = UnixDatagram::unbound()?;
        // Whoever does not listen must not hold up the service.
        own.set_nonblocking(true)?;
        Ok(Self {
            socket: Some((own, address)),
            patience,
        })
    }

    #[cfg(not(unix))]
    fn at(_socket: &str, _patience: Option<Duration>) -> anyhow::Result<Self> {
        Ok(Self::default())
    }

    /// Calls are answered from now on; `status` is a line for people.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={}", status.replace('\n', " ")));
    }

    /// No more calls are accepted; the process ends soon.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=answering what was accepted");
    }

    /// A sign of life.
    pub fn lives(&self) {
        self.tell("WATCHDOG=1");
    }

    /// How often a sign of life is due; none when nobody waits for it.
    pub fn beat(&self) -> Option<Duration> {
        self.patience.map(|patience| patience / SIGNS)
    }

    #[cfg(unix)]
    fn tell(&self, words: &str) {
        let Some((socket, address)) = &self.socket else {
            return;
        };
        if let Err(error) = socket.send_to_addr(words.as_bytes(), address) {
            tracing::warn!(%error, "cannot tell whoever runs the service");
        }
    }

    #[cfg(not(unix))]
    fn tell(&self, _words: &str) {}
}

/// A path, or with `@` in front a name that is in no folder (Linux).
#[cfg(unix)]
fn address(socket: &str) -> anyhow::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = socket.strip_prefix('@') {
        use std::os::linux::net::SocketAddrExt;
        return Ok(SocketAddr::from_abstract_name(name)?);
    }
    ensure!(socket.starts_with('/'), "expected a path from the root");
    Ok(SocketAddr::from_pathname(socket)?)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Environment::new(pairs.iter().map(own), [])
    }

    #[test]
    fn a_socket_in_no_folder_is_told_too() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("caller-id-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let there = UnixDatagram::bind_addr(&address).unwrap();
        let pairs = [("NOTIFY_SOCKET", &*format!("@{name}"))];
        Supervisor::of(&environment(&pairs))
            .unwrap()
            .ready("well\nand good");
        let mut words = [0; 100];
        let length = there.recv(&mut words).unwrap();
        assert_eq!(&words[..length], b"READY=1\nSTATUS=well and good");
    }

    #[test]
    fn signs_of_life_are_due_three_times_in_the_time_that_is_waited_for_one() {
        let beat = |pairs: &[(&str, &str)]| {
            let supervisor = Supervisor::of(&environment(pairs)).unwrap();
            supervisor.beat()
        };
        let (socket, time) = (("NOTIFY_SOCKET", "/run/x"), ("WATCHDOG_USEC", "60000000"));
        assert_eq!(beat(&[socket, time]), Some(Duration::from_secs(20)));
        assert_eq!(beat(&[socket]), None);
        assert_eq!(beat(&[time]), None, "nobody listens");
        assert_eq!(beat(&[socket, time, ("WATCHDOG_PID", "1")]), None);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (pairs, named) in [
            ([("NOTIFY_SOCKET", "run/x"), ("A", "b")], "NOTIFY_SOCKET"),
            (
                [("NOTIFY_SOCKET", "/run/x"), ("WATCHDOG_USEC", "soon")],
                "WATCHDOG_USEC",
            ),
        ] {
            let error = Supervisor::of(&environment(&pairs)).unwrap_err();
            assert!(format!("{error:#}").contains(named), "{error:#}");
        }
    }
}

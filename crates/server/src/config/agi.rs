//! Where Asterisk asks over FastAGI.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::listen::host;
use super::number::within;

/// The port of FastAGI where none is named. Ours, because VICIdial's own has 4577.
pub const PORT: u16 = 4573;

/// Where Asterisk asks over FastAGI.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "FastAGI")]
pub struct AgiConfig {
    /// The address and port on which Asterisk asks over FastAGI; `off` = it cannot. Beyond loopback, dialers need
    /// DIALER_KEYS or DIALER_ALLOW
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4573")]
    pub agi_listen: AgiListen,
    /// After so many milliseconds a FastAGI connection is closed, whatever happens: Asterisk would wait for ever
    #[arg(long, value_name = "MS", default_value = "150", value_parser = within::<10, 5_000>)]
    pub agi_deadline_ms: u32,
}

impl AgiConfig {
    /// Address and port; none when nobody can ask.
    pub fn socket(&self) -> Option<SocketAddr> {
        self.agi_listen.0
    }

    /// Whether nobody but this machine can ask.
    pub fn is_loopback(&self) -> bool {
        let socket = self.socket();
        socket.is_none_or(|socket| socket.ip().to_canonical().is_loopback())
    }

    /// See [`AgiConfig::agi_deadline_ms`].
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(u64::from(self.agi_deadline_ms))
    }
}

/// An address to listen on, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgiListen(pub Option<SocketAddr>);

impl FromStr for AgiListen {
    type Err = &'static str;

    /// Reads `127.0.0.1:4573`, `[::1]:4573`, `localhost:4573`, an address without port, or `off`.
    ///
    /// # Errors
    /// Says what was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() || text.eq_ignore_ascii_case("off") {
            return Ok(Self(None));
        }
        let bare = || host(text).ok().map(|host| SocketAddr::new(host, PORT));
        let named = || {
            let (name, port) = text.rsplit_once(':')?;
            Some(SocketAddr::new(host(name).ok()?, port.parse().ok()?))
        };
        let socket = text.parse().ok().or_else(bare).or_else(named);
        socket
            .map(|socket| Self(Some(socket)))
            .ok_or("expected an address and a port like 127.0.0.1:4573 or [::1]:4573, or off")
    }
}

impl fmt::Display for AgiListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(socket) => fmt::Display::fmt(&socket, f),
            None => f.write_str("off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_and_without_port_and_off_is_none() {
        for (text, read) in [
            ("127.0.0.1:4573", "127.0.0.1:4573"),
            ("localhost:0", "127.0.0.1:0"),
            ("0.0.0.0", "0.0.0.0:4573"),
            ("[::1]:4600", "[::1]:4600"),
            ("::1", "[::1]:4573"),
            ("OFF", "off"),
            ("", "off"),
        ] {
            let listen: AgiListen = text.parse().expect(text);
            assert_eq!(listen.to_string(), read, "{text}");
        }
        for text in ["4573", "asterisk:4573", "127.0.0.1:99999", "127.0.0.1:"] {
            assert!(text.parse::<AgiListen>().is_err(), "{text}");
        }
    }
}

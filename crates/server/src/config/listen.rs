//! Where the service listens, and how much it lets clients take.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::http::HeaderValue;
use clap::Args;

use super::list::List;
use super::number::{port, within};

/// Where the service listens, and how much it lets clients take.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Listening")]
pub struct ListenConfig {
    /// The address to listen on. Beyond loopback, dialers need an API key, DIALER_KEYS or DIALER_ALLOW
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = host)]
    pub api_host: IpAddr,
    /// The port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value = "8000", value_parser = port)]
    pub api_port: u16,
    /// Web pages of these origins may call the API (CORS), with commas between them; `*` is all
    #[arg(long, value_name = "ORIGINS", default_value = "")]
    pub allowed_origins: List<Origin>,
    /// Most connections at the same time, of HTTP and of FastAGI each; for one more, the one that has waited longest without asking is closed
    #[arg(long, value_name = "COUNT", default_value = "4096", value_parser = within::<1, 1_000_000>)]
    pub max_connections: u32,
    /// After so many seconds without a whole request a connection is closed; a fresh one after 5 at most
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = within::<1, 3_600>)]
    pub header_timeout_seconds: u32,
    /// After so many seconds the body of a request must be there, or some of an answer be taken by the client
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = within::<1, 3_600>)]
    pub body_timeout_seconds: u32,
    /// After so many milliseconds an allocation that is not recorded is answered with 503
    #[arg(long, value_name = "MS", default_value = "500", value_parser = within::<10, 60_000>)]
    pub request_deadline_ms: u32,
    /// At most so many seconds a stop takes: three quarters of them for accepted requests, the rest to close what is open
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = within::<1, 600>)]
    pub shutdown_timeout_seconds: u32,
}

impl ListenConfig {
    /// Address and port.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.api_host, self.api_port)
    }

    /// The origins whose web pages may call.
    pub fn origins(&self) -> Vec<HeaderValue> {
        let origins = self.allowed_origins.0.iter();
        origins.map(|origin| origin.0.clone()).collect()
    }

    /// Whether only this machine can reach the service.
    pub fn is_loopback(&self) -> bool {
        self.api_host.to_canonical().is_loopback()
    }

    /// See [`ListenConfig::header_timeout_seconds`].
    pub fn header_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.header_timeout_seconds))
    }

    /// See [`ListenConfig::body_timeout_seconds`].
    pub fn body_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.body_timeout_seconds))
    }

    /// See [`ListenConfig::request_deadline_ms`].
    pub fn request_deadline(&self) -> Duration {
        Duration::from_millis(u64::from(self.request_deadline_ms))
    }

    /// See [`ListenConfig::shutdown_timeout_seconds`].
    pub fn shutdown_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.shutdown_timeout_seconds))
    }
}

/// Reads an address, or `localhost`.
pub(crate) fn host(text: &str) -> Result<IpAddr, String> {
    match text.trim() {
        "localhost" => Ok(IpAddr::from([127, 0, 0, 1])),
        other => other
            .trim_matches(['[', ']'])
            .parse()
            .map_err(|_| "expected an address like 127.0.0.1, 0.0.0.0 or ::1".to_owned()),
    }
}

/// Where a web page comes from: `https://app.example.com`, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(pub HeaderValue);

impl std::str::FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected =
            || format!("`{text}`: expected an origin like https://app.example.com, or *");
        let host = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let plain =
            host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '?', '#']));
        if text != "*" && !plain {
            return Err(expected());
        }
        HeaderValue::from_str(text)
            .map(Self)
            .map_err(|_| expected())
    }
}

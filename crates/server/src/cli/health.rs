//! `caller-id health`: the look of a person, a script or a container engine at a service.

use std::io::Read;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::named;
use super::url::Url;
use crate::config::ConfigError;
use crate::config::listen::host;
use crate::config::number::port;
use crate::config::source::Environment;
use crate::config::storage::masked;

/// How `health` is called.
pub const EXAMPLES: &str = "Examples:
  caller-id health
  caller-id health --url https://cid.example.com
  caller-id health --local --live --within 2              for the health check of a container engine

Exit code: 0 when it is well, 1 when it is not or does not answer in time, 2 when it was typed wrongly.";

/// No answer of ours is longer.
const BYTES_MOST: u64 = 64 * 1024;

/// What `health` takes.
#[derive(Debug, clap::Args)]
pub struct HealthArgs {
    /// Where it listens. Default: CALLER_ID_URL, else what API_HOST and API_PORT say here
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Ask the service of the settings here, whatever CALLER_ID_URL says
    #[arg(long, conflicts_with = "url")]
    pub local: bool,
    /// Ask only whether the process answers, not whether numbers are handed out
    #[arg(long)]
    pub live: bool,
    /// How long the answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub within: u64,
}

/// Asks once, and shows what it says. No key is needed.
///
/// # Errors
/// It is not well, does not answer in time, or its address cannot be read.
pub fn run(args: &HealthArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let named = match &args.url {
        Some(text) => {
            let url = Url::parse(text);
            Some(url.map_err(|why| ConfigError::new("--url", &masked(text), why))?)
        }
        None if args.local => None,
        None => named::url(environment)?,
    };
    let is_own = named.is_none();
    let url = match named {
        Some(url) => url,
        None => own(environment)?,
    };
    let path = if args.live { "/live" } else { "/health" };
    let place = format!("{}{path}", url.base());
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(args.within)));
    if is_own || url.is_loopback() {
        config = config.proxy(None);
    }
    if !is_own && let Some(roots) = named::roots(None, environment)? {
        config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
    }
    let agent: Agent = config.build().into();
    let answer = agent.get(&place).call();
    let answer = answer.with_context(|| format!("{place} gives no answer"))?;
    let status = answer.status();
    let mut text = String::new();
    let body = answer.into_body().into_reader();
    let read = body.take(BYTES_MOST).read_to_string(&mut text);
    read.with_context(|| format!("{place} breaks off its answer"))?;
    if !status.is_success() {
        bail!("{place} answers {}: {}", status.as_u16(), text.trim());
    }
    super::show::out::line(text.trim())?;
    Ok(ExitCode::SUCCESS)
}

/// Where the service of these settings is asked on its own machine.
fn own(environment: &Environment) -> Result<Url, ConfigError> {
    let setting = |name| environment.get(name).map(|(value, _)| value.trim());
    let address = setting("API_HOST").unwrap_or("127.0.0.1");
    let address = host(address).map_err(|why| ConfigError::new("API_HOST", address, why))?;
    let address = match address {
        IpAddr::V4(four) if four.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V6(six) if six.is_unspecified() => "[::1]".to_owned(),
        IpAddr::V4(four) => four.to_string(),
        IpAddr::V6(six) => format!("[{six}]"),
    };
    let text = setting("API_PORT").unwrap_or("8000");
    let port = port(text).map_err(|why| ConfigError::new("API_PORT", text, why))?;
    Url::parse(&format!("http://{address}:{port}"))
        .map_err(|why| ConfigError::new("API_HOST", &address, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_asked_where_its_settings_say_that_it_listens() {
        let asked = |pairs: &[(&str, &str)]| {
            let own_pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let environment = Environment::new(pairs.iter().map(own_pair), []);
            own(&environment).map(|url| url.base().to_owned())
        };
        for (pairs, expected) in [
            (&[] as &[_], "http://127.0.0.1:8000"),
            (
                &[("API_HOST", "0.0.0.0"), ("API_PORT", "81")],
                "http://127.0.0.1:81",
            ),
            (&[("API_HOST", "::")], "http://[::1]:8000"),
            (&[("API_HOST", "10.0.0.5")], "http://10.0.0.5:8000"),
            (&[("API_HOST", "localhost")], "http://127.0.0.1:8000"),
        ] {
            assert_eq!(asked(pairs), Ok(expected.to_owned()));
        }
        assert!(asked(&[("API_HOST", "nowhere")]).is_err());
        assert!(asked(&[("API_PORT", "x")]).is_err());
    }
}

//! Which service is imported into, and what opens it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{anyhow, bail};
use ureq::tls::RootCerts;

use super::ImportArgs;
use super::console::warn;
use crate::auth::first_token::FILE_NAME;
use crate::cli::named;
use crate::cli::url::Url;
use crate::config::secret::Secret;
use crate::config::source::{Environment, Source};

/// A service, and what opens it.
pub(super) struct Place {
    pub(super) url: Url,
    pub(super) key: Secret,
    /// Certificates that are trusted instead of the public ones.
    pub(super) roots: Option<RootCerts>,
}

/// Finds out.
///
/// # Errors
/// What is missing or cannot be used.
pub(super) fn find(args: &ImportArgs, environment: &Environment) -> anyhow::Result<Place> {
    let (url, by_name) = url(args, environment)?;
    let key = match args.admin_token.as_ref() {
        Some(given) if !is_of_settings(given, environment) => given.clone(),
        _ => match named::key(environment)? {
            Some(key) => key,
            None => of_settings(args, &url, environment, by_name)?,
        },
    };
    if url.shows_the_token() {
        warn("the admin token goes over the network unencrypted: https:// is safer");
    }
    let roots = named::roots(None, environment)?;
    Ok(Place { url, key, roots })
}

/// The URL given, that of CALLER_ID_URL, or that of the service which these settings start on this machine; and whether it is
/// CALLER_ID_URL's.
fn url(args: &ImportArgs, environment: &Environment) -> anyhow::Result<(Url, bool)> {
    let text = match &args.api_url {
        Some(url) => url.clone(),
        None => match named::url(environment)? {
            Some(url) => return Ok((url, true)),
            None => own(args),
        },
    };
    let url = Url::parse(&text).map_err(|why| anyhow!("api-url `{text}` {why}"))?;
    Ok((url, false))
}

/// Where the service of these settings is asked on its own machine.
fn own(args: &ImportArgs) -> String {
    let host = match args.api_host {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        host => host,
    };
    format!("http://{}", SocketAddr::new(host, args.api_port))
}

/// Whether nobody said it on the command line.
fn is_of_settings(token: &Secret, environment: &Environment) -> bool {
    let set = environment.get("ADMIN_TOKEN");
    set.is_some_and(|(text, _)| text == token.reveal())
}

/// The token of the settings, or the one that a service on this machine made for itself.
fn of_settings(
    args: &ImportArgs,
    url: &Url,
    environment: &Environment,
    by_name: bool,
) -> anyhow::Result<Secret> {
    // The service of CALLER_ID_URL is not that of a `.env` which happens to be here.
    let set = environment.get("ADMIN_TOKEN").map(|(_, source)| source);
    let may = url.is_loopback() || !by_name || set == Some(Source::Environment);
    if let Some(token) = args.admin_token.as_ref().filter(|_| may) {
        return Ok(token.clone());
    }
    let mut beside = None;
    if url.is_loopback() {
        let path = args.storage.folder()?.join(FILE_NAME);
        match fs::read_to_string(&path) {
            Ok(token) => return Ok(Secret::new(token.trim())),
            Err(error) => beside = Some(format!("; {}: {error}", path.display())),
        }
    }
    bail!(
        "no admin token: give --admin-token, CALLER_ID_KEY or ADMIN_TOKEN; the service prints it at its first start and keeps it in \
         the file `{FILE_NAME}` beside its database{}",
        beside.unwrap_or_default()
    )
}

//! Where the service is, and what opens it: from flags, the environment, or the settings of a service on this machine.

use std::ffi::OsString;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ureq::tls::RootCerts;

use super::ServiceArgs;
use super::problem::Usage;
use crate::auth::first_token::FILE_NAME;
use crate::cli::import::console::warn;
use crate::cli::named::usable;
use crate::cli::url::Url;
use crate::cli::{Command, named, parse};
use crate::config::ConfigError;
use crate::config::secret::Secret;
use crate::config::source::Environment;
use crate::config::storage::masked;

const PORT_DEFAULT: &str = "8000";
/// Where the service of the package keeps the token that it made.
const PACKAGED: &str = "/var/lib/caller-id/admin-token";

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
/// [`Usage`] and [`ConfigError`] name what is missing or cannot be used.
pub(super) fn find(args: &ServiceArgs, environment: &Environment) -> anyhow::Result<Place> {
    let url = url(args, environment)?;
    let key = key(args, &url, environment)?;
    if url.shows_the_token() {
        warn("warning: the key goes over the network unencrypted: https:// is safer");
    }
    let roots = named::roots(args.ca_file.as_deref(), environment)?;
    Ok(Place { url, key, roots })
}

fn url(args: &ServiceArgs, environment: &Environment) -> anyhow::Result<Url> {
    if let Some(text) = &args.url {
        let url =
            Url::parse(text).map_err(|why| Usage::new(format!("--url `{}` {why}", masked(text))));
        return Ok(url?);
    }
    if let Some(url) = named::url(environment)? {
        return Ok(url);
    }
    let setting = |name: &str| environment.get(name).map(|(value, _)| value.trim());
    let is_six = setting("API_HOST")
        .and_then(|host| host.parse::<IpAddr>().ok())
        .is_some_and(|host| host.is_ipv6() && host.is_loopback());
    let host = if is_six { "[::1]" } else { "127.0.0.1" };
    let port = setting("API_PORT").unwrap_or(PORT_DEFAULT);
    let text = format!("http://{host}:{port}");
    Ok(Url::parse(&text).map_err(|why| ConfigError::new("API_PORT", port, why))?)
}

/// What is said for this command first; then, of this machine alone, what its service is opened with.
fn key(args: &ServiceArgs, url: &Url, environment: &Environment) -> anyhow::Result<Secret> {
    if let Some(path) = &args.key_file {
        return Ok(in_file(path).map_err(Usage::new)?);
    }
    if let Some(key) = named::key(environment)? {
        return Ok(key);
    }
    let missing = "no key: set CALLER_ID_KEY to an API key (or the admin token), or name a file that holds it with --key-file";
    if !url.is_loopback() {
        return Err(Usage::new(missing).into());
    }
    if let Some(token) = environment.get("ADMIN_TOKEN").and_then(|it| usable(it.0)) {
        return Ok(token);
    }
    let beside = token_file(environment).map_or_else(
        || Err("no database is named here".to_owned()),
        |path| in_file(&path),
    );
    // Where nobody says which service is meant, it may be that of the package.
    let named = ["DATA_DIR", "DATABASE_URL"].map(|name| environment.get(name).is_some());
    let beside = match beside {
        Err(why) if named == [false; 2] => in_file(Path::new(PACKAGED)).map_err(|_| why),
        beside => beside,
    };
    Ok(beside.map_err(|why| Usage::new(format!("{missing} ({why})")))?)
}

/// Where a service with the settings of this environment keeps the token that it made.
fn token_file(environment: &Environment) -> Option<PathBuf> {
    let words = ["caller-id", "export"].map(OsString::from);
    let parsed = parse(words.to_vec(), environment).ok()?;
    let Command::Export(args) = parsed.cli.command else {
        return None;
    };
    Some(args.storage.folder().ok()?.join(FILE_NAME))
}

/// The first line of a file.
fn in_file(path: &Path) -> Result<Secret, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read the key in {}: {error}", path.display()))?;
    let line = text.lines().next().unwrap_or_default();
    usable(line).ok_or_else(|| format!("{} holds no key in its first line", path.display()))
}

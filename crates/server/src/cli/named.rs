//! What the environment says of the service that is asked: where it is, what opens it, whose certificates are trusted.
//!
//! The environment itself alone: `.env` is of the folder one happens to be in, and must not say where a key is sent.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use ureq::tls::{PemItem, RootCerts, parse_pem};

use super::ask::Usage;
use super::url::Url;
use crate::config::ConfigError;
use crate::config::secret::Secret;
use crate::config::source::{Environment, Source};
use crate::config::storage::masked;

const URL: &str = "CALLER_ID_URL";
const KEY: &str = "CALLER_ID_KEY";
const CA_FILE: &str = "CALLER_ID_CA_FILE";

/// Where the service listens that `CALLER_ID_URL` names.
///
/// # Errors
/// It names none.
pub(super) fn url(environment: &Environment) -> Result<Option<Url>, ConfigError> {
    let url = said(environment, URL)
        .map(|text| Url::parse(text).map_err(|why| ConfigError::new(URL, &masked(text), why)));
    url.transpose()
}

/// The key in `CALLER_ID_KEY`.
///
/// # Errors
/// It cannot stand in a header.
pub(super) fn key(environment: &Environment) -> Result<Option<Secret>, ConfigError> {
    let key = said(environment, KEY)
        .map(|text| usable(text).ok_or_else(|| ConfigError::hidden(KEY, "expected one line")));
    key.transpose()
}

/// The certificates that are trusted instead of the public ones: of the file `given`, else of `CALLER_ID_CA_FILE`.
///
/// # Errors
/// [`Usage`] for a file that cannot be read, or has none in it.
pub(super) fn roots(
    given: Option<&Path>,
    environment: &Environment,
) -> anyhow::Result<Option<RootCerts>> {
    let file = given.map(Path::to_owned);
    let file = file.or_else(|| said(environment, CA_FILE).map(PathBuf::from));
    let Some(path) = file else { return Ok(None) };
    let place = path.display();
    let text = fs::read(&path)
        .map_err(|error| Usage::new(format!("cannot read the certificates in {place}: {error}")))?;
    let roots = certificates(&text).map_err(|why| Usage::new(format!("{place}: {why}")))?;
    Ok(Some(roots))
}

/// What can stand in a header.
pub(super) fn usable(text: &str) -> Option<Secret> {
    let text = text.trim();
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    (!text.is_empty() && is_plain).then(|| Secret::new(text))
}

fn said<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    let (value, source) = environment.get(name)?;
    (source == Source::Environment).then_some(value)
}

/// The certificates of a file in PEM.
fn certificates(text: &[u8]) -> anyhow::Result<RootCerts> {
    let mut found = Vec::new();
    for item in parse_pem(text) {
        if let PemItem::Certificate(certificate) = item.context("it is no PEM")? {
            found.push(certificate);
        }
    }
    ensure!(!found.is_empty(), "no certificate is in it, PEM expected");
    Ok(RootCerts::Specific(Arc::new(found)))
}

//! Which server and database, read from a URL.

use std::fmt;
use std::str::FromStr;

use caller_id_core::StoreError;
use sqlx_core::connection::ConnectOptions;
use sqlx_postgres::{PgConnectOptions, PgConnection};

/// A server and a database on it. It prints without the password.
pub(super) struct Place {
    options: PgConnectOptions,
    name: String,
}

impl Place {
    /// Reads `postgres://`, `postgresql://` and the forms of Python's drivers, `postgresql+asyncpg://`.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(&plain(url)?)
            // What the driver says of a URL names the part that is wrong, and never the whole.
            .map_err(|cause| refuse(&cause.to_string()))?
            .application_name("caller-id")
            // Values come in binary form, which it says nothing of; and PgBouncer refuses a setting that it does not know.
            .extra_float_digits(None)
            .disable_statement_logging();
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => options.get_host().to_owned(),
        };
        let database = options.get_database().unwrap_or(options.get_username());
        Ok(Self {
            name: format!("{host}:{}/{database}", options.get_port()),
            options,
        })
    }

    /// A new connection; it waits as long as the network lets it.
    pub(super) async fn connect(&self) -> Result<PgConnection, sqlx_core::Error> {
        self.options.connect().await
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The URL as libpq would have it: without the driver's name in the scheme, and `sslmode` by that name.
fn plain(url: &str) -> Result<String, StoreError> {
    let (scheme, rest) = url.trim().split_once("://").unwrap_or_default();
    let family = scheme.split('+').next().unwrap_or_default();
    if !matches!(family, "postgres" | "postgresql") {
        return Err(refuse("it does not begin with postgres://"));
    }
    check_escapes(rest)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    check_encryption(query)?;
    let query: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.strip_prefix("ssl=") {
            Some(mode) => format!("sslmode={mode}"),
            None => pair.to_owned(),
        })
        .collect();
    let rest = with_host(rest);
    Ok(format!("postgres://{rest}?{}", query.join("&")))
}

/// A password that is not escaped would be taken for the host, and shown as such.
fn check_escapes(rest: &str) -> Result<(), StoreError> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let beyond = &rest[authority.len()..];
    if authority.matches('@').count() > 1 || beyond.contains('@') || beyond.contains('#') {
        let why = "a user or password has a `@`, `/`, `?` or `#` in it: write %40, %2F, %3F or %23";
        return Err(refuse(why));
    }
    Ok(())
}

/// What is misspelt would be no encryption, in silence.
fn check_encryption(query: &str) -> Result<(), StoreError> {
    let names = query
        .split('&')
        .map(|pair| pair.split('=').next().unwrap_or_default());
    let mut of_tls = names.filter(|name| name.to_ascii_lowercase().starts_with("ssl"));
    match of_tls.find(|name| !TLS_PARAMETERS.contains(name)) {
        Some(name) => Err(refuse(&format!(
            "the parameter `{name}` is not known, expected one of {}",
            TLS_PARAMETERS.join(", ")
        ))),
        None => Ok(()),
    }
}

const TLS_PARAMETERS: [&str; 5] = ["ssl", "sslmode", "sslrootcert", "sslcert", "sslkey"];

/// Who names a socket after the question mark may leave the host out, which the rules of URLs forbid beside a user.
fn with_host(rest: &str) -> String {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((user, port)) if port.is_empty() || port.starts_with(':') => {
            format!("{user}@localhost{port}{path}")
        }
        _ => rest.to_owned(),
    }
}

fn refuse(why: &str) -> StoreError {
    StoreError::Failed(
        format!("the database's URL cannot be read: {why}, expected postgres://user:password@host:5432/database")
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(url: &str) -> String {
        match Place::parse(url) {
            Ok(place) => place.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_password_that_is_not_escaped_is_refused_and_not_shown() {
        for url in [
            "postgres://me:Db@S3cret#x@db/calls",
            "postgres://me:S3cret@x@db/calls",
            "postgres://me:S3c/ret@db/calls",
            "postgres://me:S3c?ret@db/calls",
            "postgres://me:S3cret#@db/calls",
        ] {
            let error = named(url);
            assert!(error.contains("%40") && !error.contains("S3c"), "{error}");
        }
        assert_eq!(named("postgres://me:S3%40cret@db/calls"), "db:5432/calls");
    }

    #[test]
    fn a_misspelt_parameter_of_encryption_is_refused() {
        let error = named("postgres://me@db/calls?sslmod=require");
        assert!(
            error.contains("`sslmod` is not known, expected one of ssl, sslmode"),
            "{error}"
        );
        assert_eq!(
            named("postgres://me@db/calls?async_fallback=true"),
            "db:5432/calls"
        );
    }

    #[test]
    fn urls_of_every_family_name_host_port_and_database_and_no_password() {
        for scheme in ["postgres", "postgresql", "postgresql+asyncpg"] {
            let url = format!("{scheme}://me:secret@db.example.com:6432/calls?ssl=require");
            assert_eq!(named(&url), "db.example.com:6432/calls");
        }
        assert_eq!(
            named("postgres://me@localhost/calls?host=/run/postgresql"),
            "/run/postgresql:5432/calls"
        );
        assert_eq!(
            named("postgres://me:secret@:6432/calls?host=/run/postgresql"),
            "/run/postgresql:6432/calls"
        );
        assert_eq!(
            named("postgres:///calls?host=/run/postgresql"),
            "/run/postgresql:5432/calls"
        );
        assert_eq!(named("postgres://me:a%40b@db/"), "db:5432/me");
    }

    #[test]
    fn what_is_no_url_of_postgres_is_refused_without_its_password() {
        for url in [
            "mysql://me:secret@db/calls",
            "postgres://me:secret@db:port/calls",
            "postgres://me:secret@db/calls?sslmode=perhaps",
            "secret",
        ] {
            let said = named(url);
            assert!(said.contains("the database's URL cannot be read"), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn the_words_of_python_for_encryption_are_understood() {
        let place = Place::parse("postgresql+asyncpg://me@db/calls?ssl=verify-full");
        let mode = place.map(|place| place.options.get_ssl_mode());
        assert!(matches!(mode, Ok(sqlx_postgres::PgSslMode::VerifyFull)));
    }
}

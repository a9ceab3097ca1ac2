//! Where the data is kept, how safely, and for how long.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use thiserror::Error;

use super::ConfigError;
use super::number::within;
use crate::retention::Kept;

/// Where the data is kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageConfig {
    /// The database: `sqlite:caller-id.db`, `sqlite:///var/lib/caller-id/caller-id.db` or `postgres://user:password@host:5432/database`
    /// (version 14 or newer; `?sslmode=verify-full` and `sslrootcert=<file>` for TLS); when not set, the file `caller-id.db` in DATA_DIR
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// The folder of the database; when not set, the platform's folder for data
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

/// How safely history is kept, and for how long; how a service connects to where it is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct HistoryConfig {
    /// What an answered allocation survives: `process` (the process is killed) or `power` (the machine loses power; slower). Of
    /// SQLite: with PostgreSQL its `synchronous_commit` says it, with Redis its `appendfsync`
    #[arg(long, value_name = "WHAT", default_value = "process")]
    pub durability: Durability,
    /// Most connections of this node to PostgreSQL, those included that commit and that hold the lock on the database
    #[arg(long, value_name = "COUNT", default_value = "11", value_parser = within::<4, 200>)]
    pub database_pool_size: u32,
    /// Allocations older than so many days are removed from history, in small steps; 0 keeps all. At least 2 days are kept. A restart
    /// knows sticky numbers from history alone: keep it as long as STICKY_SECONDS and the `sticky_seconds` of any pool
    #[arg(long, value_name = "DAYS", default_value = "400", value_parser = within::<0, 36_500>)]
    pub history_retention_days: u32,
}

impl HistoryConfig {
    /// How much of history is kept.
    pub fn kept(&self) -> Kept {
        Kept::of_setting(self.history_retention_days)
    }
}

/// What an answered allocation survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process.
    Process,
    /// The loss of the machine's power.
    Power,
}

impl FromStr for Durability {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "process" => Ok(Self::Process),
            "power" => Ok(Self::Power),
            _ => Err("expected process or power"),
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::Power => "power",
        })
    }
}

const DATABASE_URL: &str = "DATABASE_URL";
const FILE_NAME: &str = "caller-id.db";

impl StorageConfig {
    /// The database.
    ///
    /// # Errors
    /// [`ConfigError`] when `DATABASE_URL` cannot be read, or when the platform has no data folder.
    pub fn database(&self) -> Result<DatabaseUrl, ConfigError> {
        match self.database_url.as_deref().map(str::trim) {
            Some(url) if !url.is_empty() => url
                .parse()
                .map_err(|error: DatabaseUrlError| error.of(DATABASE_URL)),
            _ => Ok(DatabaseUrl::Sqlite(self.data_folder()?.join(FILE_NAME))),
        }
    }

    /// The folder of what this machine keeps to itself: that of the database file, or `DATA_DIR`.
    ///
    /// # Errors
    /// As [`StorageConfig::database`].
    pub fn folder(&self) -> Result<PathBuf, ConfigError> {
        Ok(match self.database()? {
            DatabaseUrl::Sqlite(path) => match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
                _ => PathBuf::from("."),
            },
            DatabaseUrl::Postgres(_) => self.data_folder()?,
        })
    }

    /// The database as it is found from anywhere: for people to read.
    ///
    /// # Errors
    /// As [`StorageConfig::database`].
    pub fn database_shown(&self) -> Result<String, ConfigError> {
        let path = match self.database()? {
            DatabaseUrl::Sqlite(path) => path,
            url @ DatabaseUrl::Postgres(_) => return Ok(url.to_string()),
        };
        let whole = path
            .canonicalize()
            .or_else(|_| std::path::absolute(&path))
            .unwrap_or(path);
        Ok(whole.display().to_string())
    }

    fn data_folder(&self) -> Result<PathBuf, ConfigError> {
        if let Some(folder) = &self.data_dir {
            return Ok(folder.clone());
        }
        let platform = dirs::data_dir().map(|folder| folder.join("caller-id"));
        platform.ok_or_else(|| {
            ConfigError::new(
                "DATA_DIR",
                "",
                "this account has no folder for data: expected one to be named",
            )
        })
    }
}

/// A database that this program can keep its data in, as a URL names it. Its password does not show in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of SQLite; its folder need not exist.
    Sqlite(PathBuf),
    /// PostgreSQL's URL as it was given, password and all; only the store reads further.
    Postgres(String),
}

/// A text that names no database. It prints without what may be a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{shown}` names no database: {expected}")]
pub struct DatabaseUrlError {
    /// The text, masked.
    pub shown: String,
    /// What was expected instead.
    pub expected: &'static str,
}

impl DatabaseUrlError {
    /// The same of the setting or flag that has it.
    pub fn of(&self, name: &str) -> ConfigError {
        ConfigError::new(name, &self.shown, self.expected)
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    /// Reads `sqlite:<file>`, and the URLs of PostgreSQL's family: `postgres://`, `postgresql://`, `postgresql+asyncpg://`.
    ///
    /// # Errors
    /// Says what was given, without its password, and what was expected.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = text.trim();
        let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
        let read = match scheme.split('+').next() {
            Some("postgres" | "postgresql") => postgres(url, rest),
            Some("sqlite") if scheme == "sqlite" => sqlite(rest),
            _ => Err(EITHER_EXPECTED),
        };
        read.map_err(|expected| DatabaseUrlError {
            shown: masked(url),
            expected,
        })
    }
}

const EITHER_EXPECTED: &str = "expected sqlite:<file>, as in sqlite:caller-id.db or sqlite:///var/lib/caller-id/caller-id.db, \
     or postgres://user:password@host:5432/database";

fn sqlite(rest: &str) -> Result<DatabaseUrl, &'static str> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.contains(":memory:") {
        return Err("expected sqlite:<file>: a database in memory would forget every allocation");
    }
    if path.is_empty() || path == "/" || path.contains(['?', '#']) {
        return Err(
            "expected sqlite:<file>, as in sqlite:caller-id.db or sqlite:///var/lib/caller-id/caller-id.db",
        );
    }
    Ok(DatabaseUrl::Sqlite(PathBuf::from(path)))
}

fn postgres(url: &str, rest: &str) -> Result<DatabaseUrl, &'static str> {
    match rest.strip_prefix("//") {
        Some(place) if !place.is_empty() => Ok(DatabaseUrl::Postgres(url.to_owned())),
        _ => Err("expected postgres://user:password@host:5432/database"),
    }
}

impl fmt::Display for DatabaseUrl {
    /// For people to read: without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&masked(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// The URL without what may be a password: what stands before the `@`, and the parameters. Of words like `password=x`, as libpq
/// takes them, nothing is left.
pub fn masked(url: &str) -> String {
    let is_words = url.contains('=') && !url.contains("://") && !url.starts_with("sqlite:");
    if is_words {
        return "(hidden)".to_owned();
    }
    let cut = url.find("://").map(|place| place + "://".len());
    let cut = cut.or_else(|| url.find(':').map(|place| place + 1));
    let (scheme, rest) = url.split_at(cut.unwrap_or(0));
    let (place, parameters) = match rest.split_once('?') {
        // It may be a `?` in a password: what of it is the host, nobody can tell.
        Some((_, parameters)) if parameters.contains('@') => return format!("{scheme}(hidden)"),
        Some((place, _)) => (place, "?(hidden)"),
        None => (rest, ""),
    };
    match place.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}(hidden)@{host}{parameters}"),
        None => format!("{scheme}{place}{parameters}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str) -> Result<PathBuf, String> {
        match storage(url).database() {
            Ok(DatabaseUrl::Sqlite(path)) => Ok(path),
            Ok(DatabaseUrl::Postgres(url)) => panic!("{url} is no file"),
            Err(error) => Err(error.to_string()),
        }
    }

    fn storage(url: &str) -> StorageConfig {
        StorageConfig {
            database_url: Some(url.to_owned()),
            data_dir: Some(PathBuf::from("/data")),
        }
    }

    #[test]
    fn sqlite_urls_name_a_file() {
        assert_eq!(path("sqlite:a.db"), Ok(PathBuf::from("a.db")));
        assert_eq!(path("sqlite:///var/a.db"), Ok(PathBuf::from("/var/a.db")));
        assert_eq!(path("sqlite:/var/a.db"), Ok(PathBuf::from("/var/a.db")));
        assert_eq!(path(" "), Ok(PathBuf::from("/data/caller-id.db")));
    }

    #[test]
    fn the_folder_is_that_of_the_file_or_the_one_for_data() {
        for (url, folder) in [
            ("sqlite:///var/x/a.db", "/var/x"),
            ("sqlite:a.db", "."),
            ("postgres://u:pw@db/x", "/data"),
            ("", "/data"),
        ] {
            assert_eq!(storage(url).folder(), Ok(PathBuf::from(folder)), "{url}");
        }
    }

    #[test]
    fn a_database_that_is_none_is_one_line_that_hides_the_password() {
        let error = path("mysql://user:pa@ss@db:5432/x").unwrap_err();
        assert_eq!(
            error,
            "DATABASE_URL: `mysql://(hidden)@db:5432/x` is not valid: expected sqlite:<file>, as in sqlite:caller-id.db or sqlite:///var/lib/caller-id/caller-id.db, or postgres://user:password@host:5432/database"
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for url in [
            "mysql://x/y",
            "caller-id.db",
            "sqlite:",
            "sqlite::memory:",
            "sqlite:a.db?mode=ro",
        ] {
            assert!(path(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_database_url_names_a_file_or_a_server() {
        let file = DatabaseUrl::Sqlite(PathBuf::from("/var/a.db"));
        assert_eq!(" sqlite:///var/a.db".parse(), Ok(file));
        for url in [
            "postgres://u:pw@db/x",
            "postgresql://db/x",
            "postgresql+asyncpg://u:pw@db:5432/x?ssl=require",
        ] {
            assert_eq!(url.parse(), Ok(DatabaseUrl::Postgres(url.to_owned())));
        }
    }

    #[test]
    fn a_database_url_is_never_shown_with_its_password() {
        let good: DatabaseUrl = "postgres://u:horse@db/x".parse().unwrap();
        assert_eq!(good.to_string(), "postgres://(hidden)@db/x");
        assert!(!format!("{good:?}").contains("horse"));
        for url in [
            "postgres:u:horse@db/x",
            "postgres://",
            "mysql://u:horse@db/x",
            "u:horse@db",
            "sqlite3:x",
        ] {
            let error = url.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(error.contains("names no database: expected"), "{error}");
            assert!(!error.contains("horse"), "{error}");
        }
    }

    #[test]
    fn urls_are_shown_without_what_may_be_a_password() {
        for (url, shown) in [
            ("redis://h:6379/0?password=pw", "redis://h:6379/0?(hidden)"),
            (
                "redis://:pw@h:6379/0?a=b",
                "redis://(hidden)@h:6379/0?(hidden)",
            ),
            ("redis://h/0?password=p@w", "redis://(hidden)"),
            ("redis://u:p?w@h/0", "redis://(hidden)"),
            ("redis:u:pw@h", "redis:(hidden)@h"),
            ("sqlite:a.db", "sqlite:a.db"),
            ("u:pw@h", "u:(hidden)@h"),
            ("pw@h", "(hidden)@h"),
            ("host=h password=pw:x dbname=d", "(hidden)"),
            ("sqlite:a=b.db", "sqlite:a=b.db"),
        ] {
            assert_eq!(masked(url), shown);
        }
    }
}

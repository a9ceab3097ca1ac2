//! What PostgreSQL says, in the words of core's [`StoreError`].

use caller_id_core::StoreError;
use caller_id_core::store::BoxError;
use sqlx_core::Error;

use super::words::said;

/// Why some work on a connection failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The driver or the server said so.
    Driver(Error),
    /// We say so.
    Told(StoreError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Told(error)
    }
}

impl Fault {
    /// Whether a row had no part to go to.
    pub(super) fn is_no_part(&self) -> bool {
        // A check that is not met; history has no other.
        self.code().is_some_and(|code| code == "23514")
    }

    /// Whether the same on a new connection may succeed: the old one was lost, or lost a race with others.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Driver(Error::Io(_)) => true,
            _ => matches!(
                self.code().as_deref(),
                Some("57P01" | "57P02" | "57P05" | "25P03" | "40001" | "40P01")
            ),
        }
    }

    /// Whether the server refused a statement, and goes on with the session.
    pub(super) fn is_refusal(&self) -> bool {
        self.code().is_some_and(|code| !code.starts_with("57P"))
    }

    /// Whether the session goes on: we gave up by ourselves, or the server refused a statement.
    pub(super) fn spares_session(&self) -> bool {
        matches!(self, Self::Told(_)) || self.is_refusal()
    }

    /// Whether a commit of rows may fail so where one of nothing succeeds. Not when the server is away, or stops.
    pub(super) fn may_meet_rows_alone(&self) -> bool {
        self.is_refusal() || matches!(self, Self::Told(StoreError::Busy(_)))
    }

    /// Whether a table is not there.
    pub(super) fn is_no_table(&self) -> bool {
        self.code().is_some_and(|code| code == "42P01")
    }

    /// Whether the user may not do that.
    pub(super) fn is_no_right(&self) -> bool {
        self.code().is_some_and(|code| code == "42501")
    }

    /// What the server or we said, and what to do, without the server's name.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Told(told) => told.to_string(),
            Self::Driver(error) => said(error, &self.code().unwrap_or_default()),
        }
    }

    fn code(&self) -> Option<String> {
        match self {
            Self::Driver(Error::Database(error)) => error.code().map(|code| code.to_string()),
            _ => None,
        }
    }

    /// For a caller, with the name of the server.
    pub(super) fn at(self, server: &impl std::fmt::Display) -> StoreError {
        let code = self.code().unwrap_or_default();
        let named = |text: String| -> BoxError { format!("PostgreSQL `{server}`: {text}").into() };
        let error = match self {
            Self::Told(StoreError::Busy(cause)) => {
                return StoreError::Busy(named(cause.to_string()));
            }
            Self::Told(StoreError::Failed(cause)) => {
                return StoreError::Failed(named(cause.to_string()));
            }
            Self::Told(StoreError::Unreadable(text)) => {
                return StoreError::Unreadable(named(text).to_string());
            }
            Self::Told(told) => return told,
            Self::Driver(error) => error,
        };
        let text = named(said(&error, &code));
        match (&error, code.as_str()) {
            // Disk full, and a bound of the server's settings.
            (_, "53100" | "53400") => StoreError::Full(text),
            // No memory or connection free, starting up, a lock or an answer waited for too long, a race lost.
            (_, "53200" | "53300" | "57P03" | "55P03" | "57014" | "40001" | "40P01") => {
                StoreError::Busy(text)
            }
            // The server's files are damaged, or a column is not what we wrote.
            (_, "XX001" | "XX002")
            | (
                Error::Decode(_)
                | Error::ColumnDecode { .. }
                | Error::ColumnNotFound(_)
                | Error::ColumnIndexOutOfBounds { .. },
                _,
            ) => StoreError::Unreadable(text.to_string()),
            _ => StoreError::Failed(text),
        }
    }
}

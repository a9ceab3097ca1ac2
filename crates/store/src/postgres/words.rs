//! What the driver says, without what only its authors understand, and with what to do where that is known.

use std::io::ErrorKind;

use sqlx_core::Error;

/// Of a session that was good, and broke.
const LOOK: &str = "see that PostgreSQL runs there, and its log";

/// Of a server that takes no change.
const READ_ONLY: &str = "this one only reads: name the primary in DATABASE_URL, or make room and turn \
                         default_transaction_read_only off again, where its storage ran out";

/// The error in the words of who runs the server; behind `->` what to do, and with which setting.
pub(super) fn said(error: &Error, code: &str) -> String {
    let (what, advice) = match error {
        // Its own `Display` adds a line of the server's source, or a place in the statement, both of no use here.
        Error::Database(error) => (error.message().to_owned(), of_server(code, error.message())),
        Error::Io(error) => (format!("cannot be reached: {error}"), of_network(error)),
        Error::Tls(error) => (format!("no TLS: {error}"), of_tls(&error.to_string())),
        other => (other.to_string(), None),
    };
    match advice {
        Some(advice) => format!("{what} -> {advice}"),
        None => what,
    }
}

fn of_server(code: &str, message: &str) -> Option<&'static str> {
    Some(match code {
        "28P01" | "28000" => {
            "correct user and password in DATABASE_URL (%40 for @ in them), or let this machine in (pg_hba.conf)"
        }
        "3D000" => "correct the database in DATABASE_URL, or make it: CREATE DATABASE",
        "42501" => {
            "give the user of DATABASE_URL that right; `caller-id doctor` tells which there are to give"
        }
        "53300" => "raise max_connections or the role's limit, or lower DATABASE_POOL_SIZE",
        "55000" if message.contains("accepting connections") => {
            "let it take connections: ALTER DATABASE ... ALLOW_CONNECTIONS true"
        }
        // It stops, or somebody ended this session.
        "57P01" | "57P02" => LOOK,
        "25006" => READ_ONLY,
        "53100" => "make room on PostgreSQL's disk: df -h on its machine",
        _ => return None,
    })
}

fn of_network(error: &std::io::Error) -> Option<&'static str> {
    let text = error.to_string();
    if text.contains("lookup address") {
        return Some("correct the host in DATABASE_URL, or this machine's DNS");
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            Some("start PostgreSQL there, or correct host and port in DATABASE_URL")
        }
        ErrorKind::NotFound => Some(
            "start PostgreSQL, or correct what DATABASE_URL names: the folder of its socket (host), files of certificates",
        ),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Some(LOOK),
        _ => None,
    }
}

fn of_tls(text: &str) -> Option<&'static str> {
    if text.contains("does not support TLS") {
        return Some("ssl = on in postgresql.conf, or another sslmode in DATABASE_URL");
    }
    if text.contains("UnknownIssuer") {
        return Some("sslrootcert=<the certificate of who signed the server's> in DATABASE_URL");
    }
    text.contains("not valid for name")
        .then_some("name the host in DATABASE_URL as its certificate does")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_broke_is_told_with_what_to_look_at() {
        for kind in [
            ErrorKind::ConnectionReset,
            ErrorKind::BrokenPipe,
            ErrorKind::UnexpectedEof,
        ] {
            let told = said(&Error::Io(kind.into()), "");
            assert!(told.ends_with(&format!(" -> {LOOK}")), "{told}");
        }
        assert_eq!(of_server("57P01", "terminating connection"), Some(LOOK));
    }
}

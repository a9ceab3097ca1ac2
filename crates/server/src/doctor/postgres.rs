//! Judges a PostgreSQL.

use std::time::Duration;

use super::{Finding, Part, clock, latency};
use crate::app::inspect::PostgresInspection;

/// Parts of history are taken off without a stop of writers since PostgreSQL 14.
const VERSION_LEAST: i32 = 140_000;
/// So many connections of 100 are many.
const CONNECTIONS_NEAR_PERCENT: i64 = 80;

/// How a node would use the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its name.
    pub node: String,
    /// Whether it is one of many.
    pub shared: bool,
    /// Whether it waits until the database is free.
    pub standby: bool,
    /// Most connections at once.
    pub connections: u32,
}

/// All that is to say of it.
pub fn judge(postgres: &PostgresInspection, by: &Use) -> Vec<Finding> {
    let microseconds = Duration::from_micros;
    let mut findings = vec![
        version(postgres),
        writable(postgres),
        encryption(postgres),
        rights(postgres),
        durability(postgres),
        connections(postgres, by),
        schema(postgres),
        owners(postgres, by),
    ];
    findings.push(clock(Part::Postgresql, postgres.clock_offset_ms));
    findings.push(latency(
        Part::Postgresql,
        microseconds(postgres.latency.median_us),
        microseconds(postgres.latency.most_us),
    ));
    findings
}

/// What is to say when it is not reached, or does not tell.
pub fn away(why: &str) -> Finding {
    let found = finding("reached", why);
    if why.contains("one transaction at a time") {
        return found
            .error("PgBouncer: pool_mode = session; others likewise, or name the server itself");
    }
    match why.split_once(" -> ") {
        Some((why, advice)) => finding("reached", why).error(advice),
        None => found.error("start it there, or correct DATABASE_URL"),
    }
}

fn finding(about: &'static str, fact: impl Into<String>) -> Finding {
    Finding::new(Part::Postgresql, about, fact)
}

fn version(postgres: &PostgresInspection) -> Finding {
    let found = finding(
        "version",
        format!(
            "{} at {}, as user `{}`",
            postgres.version, postgres.place, postgres.user
        ),
    );
    if postgres.version_number >= VERSION_LEAST {
        return found;
    }
    found.error("upgrade it to PostgreSQL 14 or newer")
}

fn writable(postgres: &PostgresInspection) -> Finding {
    if postgres.in_recovery {
        return finding("writable", "no: it is a copy that only reads")
            .error("name the primary in DATABASE_URL");
    }
    let Some(why) = &postgres.refused else {
        return finding("writable", "yes");
    };
    let (why, advice) = why.split_once(" -> ").unwrap_or((why, "see its log"));
    finding(
        "writable",
        format!("no: {why}; what cannot be recorded is no number for a call"),
    )
    .error(advice)
}

fn encryption(postgres: &PostgresInspection) -> Finding {
    let about = "encryption";
    match &postgres.encryption {
        Some(how) => finding(about, how),
        None if is_local(&postgres.place) => finding(about, "none, on this machine"),
        None => finding(
            about,
            "none: password and called numbers cross the network in the clear",
        )
        .warning("?sslmode=verify-full&sslrootcert=<file> at the end of DATABASE_URL"),
    }
}

/// Whether `host:port/database` is on this machine.
fn is_local(place: &str) -> bool {
    let host = place.rsplit_once('/').map_or(place, |(host, _)| host);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<std::net::IpAddr>();
    host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|address| address.is_loopback())
}

fn rights(postgres: &PostgresInspection) -> Finding {
    let about = "rights";
    let (rights, user, database) = (&postgres.rights, &postgres.user, &postgres.database);
    match (rights.create_tables, rights.own_history) {
        (None, _) if !rights.create_schema => finding(
            about,
            format!("`{user}` may not make the schema caller_id, which the first start needs"),
        )
        .error(format!("GRANT CREATE ON DATABASE \"{database}\" TO \"{user}\"")),
        (Some(false), _) => finding(
            about,
            format!("`{user}` may not make tables in the schema caller_id"),
        )
        .error(format!("GRANT USAGE, CREATE ON SCHEMA caller_id TO \"{user}\"")),
        (_, Some(false)) => finding(
            about,
            format!("the tables belong to somebody else than `{user}`: no week of history can be made or dropped"),
        )
        .error(format!(
            "ALTER TABLE … OWNER TO \"{user}\" for all tables of the schema caller_id, or connect as their owner"
        )),
        _ => finding(about, "tables can be made and changed"),
    }
}

fn durability(postgres: &PostgresInspection) -> Finding {
    let about = "durability";
    let commit = &postgres.synchronous_commit;
    if !postgres.fsync {
        return finding(
            about,
            "fsync is off: a loss of power can destroy the whole database",
        )
        .error("fsync = on in postgresql.conf");
    }
    let found = finding(about, format!("fsync on, synchronous_commit {commit}"));
    if commit != "off" {
        return found;
    }
    found.warning(
        "synchronous_commit = on: the last moments before a loss of power are missing from history, and Redis has let go of \
         them",
    )
}

fn connections(postgres: &PostgresInspection, by: &Use) -> Finding {
    let (used, most) = (postgres.connections_used, postgres.connections_most);
    let found = finding("connections", format!("{used} of {most} in use"));
    if i64::from(used) * 100 < i64::from(most) * CONNECTIONS_NEAR_PERCENT {
        return found;
    }
    found.warning(format!(
        "raise max_connections, or lower DATABASE_POOL_SIZE: a node with these settings takes up to {}",
        by.connections
    ))
}

fn schema(postgres: &PostgresInspection) -> Finding {
    let about = "tables";
    let (found, known) = (postgres.schema_found, postgres.schema_known);
    match found {
        0 => finding(about, "none yet: the first start makes them"),
        _ if found < known => finding(
            about,
            format!("version {found}, the next start brings them to {known}"),
        ),
        _ if found > known => finding(
            about,
            format!("version {found}, and this program knows {known}: a newer one made them"),
        )
        .error("install the newer version of caller-id here"),
        _ => finding(about, format!("version {found}, as this program has them")),
    }
}

fn owners(postgres: &PostgresInspection, by: &Use) -> Finding {
    let about = "in use";
    let names: Vec<_> = postgres.holders.iter().map(ToString::to_string).collect();
    let names = names.join(", ");
    let alone = postgres.holders.iter().find(|holder| holder.alone);
    match alone {
        None if names.is_empty() => finding(about, "by no node now"),
        None if by.shared => finding(about, format!("by the nodes {names}")),
        None => finding(about, format!("by the nodes {names}, which share a Redis"))
            .error("set REDIS_URL as they have it: a node with its engine in memory is refused beside them"),
        Some(holder) => {
            let found = finding(
                about,
                format!(
                    "by the node {holder} alone, whose engine is in memory, since {}",
                    holder.since
                ),
            );
            match () {
                () if by.shared => {
                    found.error("stop it before the first node with REDIS_URL starts")
                }
                () if by.standby || holder.node == by.node => found,
                () => found.warning(
                    "a second node is refused: set REDIS_URL for several, or STANDBY=true to wait and take over",
                ),
            }
        }
    }
}

#[cfg(test)]
#[path = "postgres/tests.rs"]
mod tests;

//! What a server says of itself, for who looks for what is wrong with it. Nothing is judged and nothing changed here.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::{Clock, StoreError};
use sqlx_core::connection::Connection;
use sqlx_core::query::query;
use sqlx_core::query_as::query_as;
use sqlx_core::query_scalar::query_scalar;
use sqlx_postgres::{PgConnection, Postgres};
use tokio::time::{Instant, timeout};

use super::error::Fault;
use super::holders::{self, Holder};
use super::inventory::IDENTITY;
use super::place::Place;
use super::pooled;
use super::record::{self, RecordedState};
use super::schema;

/// A server, a database on it and a user, as they were found.
#[derive(Debug, Clone, PartialEq)]
pub struct PostgresInspection {
    /// Host, port and database, as errors name them.
    pub place: String,
    /// As the server writes it: `16.4 (Debian 16.4-1)`.
    pub version: String,
    /// The same to compare: 160004.
    pub version_number: i32,
    /// The database's name.
    pub database: String,
    /// Whom the server takes us for.
    pub user: String,
    /// Protocol and cipher of this connection; None where it is not encrypted, or leads through a proxy in the clear.
    pub encryption: Option<String>,
    /// A copy that cannot be written.
    pub in_recovery: bool,
    /// What the server said to rows that need room of their own, and what to do behind `->`; None where it took them.
    /// They were taken back.
    pub refused: Option<String>,
    /// What the user may do.
    pub rights: PostgresRights,
    /// `synchronous_commit` of this user: whether a commit survives the loss of the server's power.
    pub synchronous_commit: String,
    /// `fsync`: where it is off, the loss of power can damage the whole database.
    pub fsync: bool,
    /// Most connections of all users, those kept for superusers among them.
    pub connections_most: i32,
    /// Connections there are now, this one among them.
    pub connections_used: i32,
    /// By how many milliseconds the server's clock is before ours, corrected by half of the way there and back.
    pub clock_offset_ms: i64,
    /// How long a statement takes that does nothing.
    pub latency: Latency,
    /// Version of the tables; 0 where there are none.
    pub schema_found: usize,
    /// Version of the tables that this program works with.
    pub schema_known: usize,
    /// The revision of the inventory; None where there are no tables yet.
    pub revision: Option<i64>,
    /// Which database it is; None where no service has asked yet.
    pub identity: Option<i64>,
    /// The nodes that use the database now.
    pub holders: Vec<Holder>,
    /// Which state in Redis has its numbers; None where none is written down.
    pub state: Option<RecordedState>,
    /// The nodes that hold that state now.
    pub state_holders: Vec<Holder>,
}

/// What a user may do in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresRights {
    /// Whether it may make the schema `caller_id`, needed at the first start alone.
    pub create_schema: bool,
    /// Whether it may make tables in the schema; None where there is no schema yet.
    pub create_tables: Option<bool>,
    /// Whether history belongs to it, needed to make and drop its parts; None where there is no history yet.
    pub own_history: Option<bool>,
}

/// Of several statements, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// Half took no longer, in microseconds.
    pub median_us: u64,
    /// The longest, in microseconds.
    pub most_us: u64,
    /// How many there were.
    pub samples: usize,
}

const SERVER: &str =
    "SELECT current_setting('server_version'), current_setting('server_version_num')::int,
    current_database()::text, current_user::text, pg_is_in_recovery(),
    current_setting('synchronous_commit'), current_setting('fsync') = 'on'";
const ENCRYPTION: &str =
    "SELECT version || ' ' || cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
const CONNECTIONS: &str = "SELECT current_setting('max_connections')::int,
    (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database)";
const RIGHTS: &str = "SELECT has_database_privilege(current_database(), 'CREATE'),
    (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = 'caller_id'),
    (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'caller_id' AND c.relname = 'allocations')";
const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const REVISION: &str = "SELECT value FROM caller_id.meta WHERE key = 'revision'";
const NOTHING: &str = "SELECT 1";
/// Where the database's own tables are, whatever is set for those that pass.
const IN_ITS_PLACE: &str = "SET LOCAL temp_tablespaces = ''";
/// Some pages, which go with the transaction.
const ROOM: &str = "CREATE TEMPORARY TABLE caller_id_trial ON COMMIT DROP AS
    SELECT repeat('x', 1000) AS filling FROM generate_series(1, 256)";

/// How many statements are timed.
const SAMPLES: usize = 50;

/// Looks at the server and database of a URL; all of it takes at most `wait`, and changes nothing: what is written to see
/// whether there is room is taken back.
///
/// # Errors
/// Those of connecting, and [`StoreError::Busy`] when it takes longer. They name the server, never the password.
pub async fn inspect_postgres(
    url: &str,
    clock: Arc<dyn Clock>,
    wait: Duration,
) -> Result<PostgresInspection, StoreError> {
    let place = Place::parse(url)?;
    let looking = async {
        let mut connection = place.connect().await?;
        pooled::check(&place, &mut connection).await?;
        look(&mut connection, &place, &*clock).await
    };
    timeout(wait, looking)
        .await
        .unwrap_or_else(|_| {
            let text = format!("it could not be inspected within {wait:?}");
            Err(StoreError::Busy(text.into()).into())
        })
        .map_err(|fault| fault.at(&place))
}

async fn look(
    connection: &mut PgConnection,
    place: &Place,
    clock: &dyn Clock,
) -> Result<PostgresInspection, Fault> {
    let (version, version_number, database, user, in_recovery, synchronous_commit, fsync) =
        query_as::<Postgres, _>(SERVER)
            .fetch_one(&mut *connection)
            .await?;
    let (connections_most, connections_used) = query_as::<Postgres, _>(CONNECTIONS)
        .fetch_one(&mut *connection)
        .await?;
    let encryption = query_scalar::<Postgres, _>(ENCRYPTION)
        .fetch_optional(&mut *connection)
        .await?;
    let schema_found = schema::found(connection).await?;
    let (mut revision, mut identity) = (None, None);
    if schema_found > 0 {
        let asked = query_scalar::<Postgres, _>(REVISION);
        revision = asked.fetch_optional(&mut *connection).await?;
        let asked = query_scalar::<Postgres, _>(IDENTITY);
        identity = asked.fetch_optional(&mut *connection).await?;
    }
    let state = match schema::has_states(connection).await? {
        true => record::recorded(connection).await?,
        false => None,
    };
    let state_holders = match &state {
        Some(recorded) => record::holders(connection, recorded.state).await?,
        None => Vec::new(),
    };
    Ok(PostgresInspection {
        place: place.to_string(),
        version,
        version_number,
        database,
        user,
        encryption,
        in_recovery,
        refused: refused(connection).await?,
        rights: rights(connection).await?,
        synchronous_commit,
        fsync,
        connections_most,
        connections_used,
        clock_offset_ms: clock_offset_ms(connection, clock).await?,
        latency: latency(connection).await?,
        schema_found,
        schema_known: schema::KNOWN,
        revision,
        identity,
        holders: holders::holders(connection).await?,
        state,
        state_holders,
    })
}

/// Why rows that need room are refused, if they are.
async fn refused(connection: &mut PgConnection) -> Result<Option<String>, Fault> {
    let mut transaction = connection.begin().await?;
    let tried = async {
        query::<Postgres>(IN_ITS_PLACE)
            .execute(&mut *transaction)
            .await?;
        query::<Postgres>(ROOM).execute(&mut *transaction).await
    };
    let tried = tried.await.map_err(Fault::from);
    transaction.rollback().await?;
    match tried {
        Ok(_) => Ok(None),
        // Tables that pass need a right that nothing else of ours does.
        Err(fault) if fault.is_no_right() => Ok(None),
        Err(fault) if fault.is_refusal() => Ok(Some(fault.said())),
        Err(fault) => Err(fault),
    }
}

async fn rights(connection: &mut PgConnection) -> Result<PostgresRights, Fault> {
    let (create_schema, create_tables, own_history) = query_as::<Postgres, _>(RIGHTS)
        .fetch_one(connection)
        .await?;
    Ok(PostgresRights {
        create_schema,
        create_tables,
        own_history,
    })
}

async fn clock_offset_ms(connection: &mut PgConnection, clock: &dyn Clock) -> Result<i64, Fault> {
    let mut best = (i64::MAX, 0);
    // The first prepares the statement; the shortest way says most.
    for _ in 0..5 {
        let before = clock.now().as_ms();
        let there: i64 = query_scalar::<Postgres, _>(CLOCK)
            .fetch_one(&mut *connection)
            .await?;
        let after = clock.now().as_ms();
        best = best.min((after - before, there - before.midpoint(after)));
    }
    Ok(best.1)
}

async fn latency(connection: &mut PgConnection) -> Result<Latency, Fault> {
    let mut micros = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let begin = Instant::now();
        query_scalar::<Postgres, i32>(NOTHING)
            .fetch_one(&mut *connection)
            .await?;
        micros.push(begin.elapsed().as_micros() as u64);
    }
    micros.sort_unstable();
    Ok(Latency {
        median_us: micros[SAMPLES / 2],
        most_us: micros[SAMPLES - 1],
        samples: SAMPLES,
    })
}

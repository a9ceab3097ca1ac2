//! The row that says which shared state has the numbers, and the locks of those who hold it.

use caller_id_core::Timestamp;
use caller_id_core::shared::StateId;
use sqlx_core::query::query;
use sqlx_core::query_as::query_as;
use sqlx_core::query_scalar::query_scalar;
use sqlx_postgres::{PgConnection, Postgres};

use super::super::error::Fault;
use super::super::holders::{self, Holder};

const READ: &str =
    "SELECT state, state_node, state_at, (extract(epoch FROM state_since) * 1000)::bigint,
        (extract(epoch FROM state_seen) * 1000)::bigint, state_left,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    FROM caller_id.owner";
/// Whoever changes it waits here for others who do.
const ALONE: &str = "SELECT FROM caller_id.owner FOR UPDATE";
const WRITE: &str = "UPDATE caller_id.owner
    SET state = $1, state_node = $2, state_at = $3, state_since = now(), state_seen = now(), state_left = false
    RETURNING (extract(epoch FROM state_since) * 1000)::bigint";
const STAY: &str = "UPDATE caller_id.owner SET state_seen = now(), state_left = false";
const SEEN: &str = "UPDATE caller_id.owner SET state_seen = now() WHERE state = $1";
const LEAVE: &str = "UPDATE caller_id.owner SET state_left = true";
const HOLD: &str = "SELECT pg_advisory_lock_shared($1)";
const LET_GO: &str = "SELECT pg_advisory_unlock_shared($1)";

/// What the database says of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedState {
    /// Which one it is.
    pub state: StateId,
    /// The node that wrote it there.
    pub node: String,
    /// Where that node found it.
    pub at: String,
    /// When it was written, by the server's clock.
    pub since: Timestamp,
    /// When a node saw it in Redis last, by that clock.
    pub seen: Timestamp,
    /// Whether the last node that agreed ended in order: none will come back.
    pub left: bool,
}

fn key(state: StateId) -> i64 {
    state.0.cast_signed()
}

pub(super) async fn hold(connection: &mut PgConnection, state: StateId) -> Result<(), Fault> {
    let hold = query::<Postgres>(HOLD).bind(key(state));
    hold.execute(connection).await?;
    Ok(())
}

pub(super) async fn let_go(connection: &mut PgConnection, state: StateId) -> Result<(), Fault> {
    let let_go = query::<Postgres>(LET_GO).bind(key(state));
    let_go.execute(connection).await?;
    Ok(())
}

/// What is recorded, if anything.
pub(in crate::postgres) async fn recorded(
    connection: &mut PgConnection,
) -> Result<Option<RecordedState>, Fault> {
    Ok(read(connection).await?.0)
}

/// Who holds that state.
pub(in crate::postgres) async fn holders(
    connection: &mut PgConnection,
    state: StateId,
) -> Result<Vec<Holder>, Fault> {
    holders::holders_of(connection, key(state)).await
}

type Row = (Option<i64>, String, String, i64, i64, bool, i64);

/// The same, and what time it is there.
pub(super) async fn read(
    connection: &mut PgConnection,
) -> Result<(Option<RecordedState>, Timestamp), Fault> {
    let (state, node, at, since, seen, left, now): Row =
        query_as::<Postgres, _>(READ).fetch_one(connection).await?;
    let record = state.map(|state| RecordedState {
        state: StateId(state.cast_unsigned()),
        node,
        at,
        since: Timestamp::from_ms(since),
        seen: Timestamp::from_ms(seen),
        left,
    });
    Ok((record, Timestamp::from_ms(now)))
}

/// The same; nobody else changes it until the end of the transaction.
pub(super) async fn read_alone(
    connection: &mut PgConnection,
) -> Result<(Option<RecordedState>, Timestamp), Fault> {
    query::<Postgres>(ALONE).execute(&mut *connection).await?;
    read(connection).await
}

/// Writes down that this state has the numbers; tells since when.
pub(super) async fn write(
    connection: &mut PgConnection,
    state: StateId,
    (node, at): (&str, &str),
) -> Result<Timestamp, Fault> {
    let write = query_scalar::<Postgres, i64>(WRITE).bind(key(state));
    let since = write.bind(node).bind(at).fetch_one(connection);
    Ok(Timestamp::from_ms(since.await?))
}

/// A node holds the recorded state: it did not leave.
pub(super) async fn stay(connection: &mut PgConnection) -> Result<(), Fault> {
    query::<Postgres>(STAY).execute(connection).await?;
    Ok(())
}

/// The last node that held it left in order.
pub(super) async fn leave(connection: &mut PgConnection) -> Result<(), Fault> {
    query::<Postgres>(LEAVE).execute(connection).await?;
    Ok(())
}

/// A node sees the state now, if it is the recorded one.
pub(super) async fn saw(connection: &mut PgConnection, state: StateId) -> Result<(), Fault> {
    let saw = query::<Postgres>(SEEN).bind(key(state));
    saw.execute(connection).await?;
    Ok(())
}

//! Looking for the latest allocation of a call.

use caller_id_core::{AllocationId, Sought, StoreError, Timestamp};
use sqlx_core::query_scalar::query_scalar;
use sqlx_postgres::Postgres;
use uuid::Uuid;

use super::PostgresStore;
use super::commit::uuid;

const BY_CALL: &str =
    "SELECT id FROM caller_id.allocations WHERE call_id = $2 AND id >= $1 ORDER BY id DESC LIMIT 1";
const SHOWN: &str =
    "SELECT id FROM caller_id.allocations WHERE number = $2 AND destination = $3 AND id >= $1
    ORDER BY id DESC LIMIT 1";

impl PostgresStore {
    /// The latest one made at `since` or later.
    pub(super) async fn latest(
        &self,
        sought: &Sought,
        since: Timestamp,
    ) -> Result<Option<AllocationId>, StoreError> {
        // The bound tells which weeks need to be looked at.
        let first = uuid(AllocationId::first_at(since));
        let sought = sought.clone();
        let found: Option<Uuid> = self
            .lane
            .run(|connection| {
                Box::pin(async move {
                    let found = match sought {
                        Sought::Call(call) => query_scalar::<Postgres, _>(BY_CALL)
                            .bind(first)
                            .bind(call.to_string()),
                        Sought::Shown {
                            number,
                            destination,
                        } => query_scalar::<Postgres, _>(SHOWN)
                            .bind(first)
                            .bind(number.e164_digits() as i64)
                            .bind(destination.e164_digits() as i64),
                    };
                    Ok(found.fetch_optional(connection).await?)
                })
            })
            .await?;
        Ok(found.map(|id| AllocationId::from_bytes(id.into_bytes())))
    }
}

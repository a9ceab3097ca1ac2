//! History a page at a time, at the pace of who asks.

use caller_id_core::store::PastAllocation;
use caller_id_core::{AllocationId, StoreError};
use sqlx_core::query::query;
use sqlx_postgres::Postgres;

use super::PostgresStore;
use super::commit::uuid;
use super::rows::PastReader;

const PAGE: &str = "
    SELECT id, at, number, destination, campaign, agent, call_id, pool, rung, reserved_until, ended_at, call_end,
        result_at, answered_seconds, dialed_seconds, hangup_cause, sip_code
    FROM caller_id.allocations WHERE id >= $1 ORDER BY id LIMIT $2";

impl PostgresStore {
    /// The next allocations from an id on.
    pub(super) async fn page_from(
        &self,
        from: AllocationId,
        most: usize,
    ) -> Result<Vec<PastAllocation>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.lane
            .run(|connection| {
                Box::pin(async move {
                    let page = query::<Postgres>(PAGE).bind(uuid(from)).bind(most);
                    let rows = page.fetch_all(connection).await?;
                    let mut reader = PastReader::default();
                    rows.iter().map(|row| reader.read(row)).collect()
                })
            })
            .await
    }
}

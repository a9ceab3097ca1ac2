//! The local days of pools, which scripts ask for where they know none.

use std::collections::HashMap;

use caller_id_core::{AllocatorError, TimeZone, Timestamp};

use super::reply::Reply;
use super::{Engine, TRIES_MOST, error, pool};

/// How often the days of each pool were given for one script.
#[derive(Default)]
pub(super) struct DaysGiven(HashMap<String, usize>);

impl DaysGiven {
    /// Gives the days that a reply asks for. `false`: it asks for none, or was given them too often.
    pub(super) async fn give(
        &mut self,
        engine: &Engine,
        reply: &Reply,
    ) -> Result<bool, AllocatorError> {
        let Reply::Days { pool, zone, now } = reply else {
            return Ok(false);
        };
        let given = self.0.entry(pool.clone()).or_default();
        *given += 1;
        if *given == TRIES_MOST {
            return Ok(false);
        }
        engine.put_days(pool, zone, *now).await?;
        Ok(true)
    }
}

impl Engine {
    async fn put_days(&self, pool: &str, zone: &str, now: Timestamp) -> Result<(), AllocatorError> {
        let known = TimeZone::parse(zone).map_err(error::Unreadable)?;
        let midnights = pool::midnights(&known, now);
        let arguments = [pool.into(), zone.into(), midnights];
        self.run::<i64>(&self.scripts.put_days, &arguments).await?;
        Ok(())
    }
}

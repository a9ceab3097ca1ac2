//! What records need of one another: nothing twice, and nothing that names what is not there.

use std::collections::HashSet;

use caller_id_core::history_query::Calls;
use caller_id_core::roles::ApiKey;
use caller_id_core::{Campaign, CampaignId, PhoneNumber, PoolId};

use super::record::Record;

/// The names that were read so far. Of numbers it keeps eight bytes each, sixteen where the list grows.
#[derive(Debug, Default)]
pub(super) struct Ties {
    pools: HashSet<PoolId>,
    campaigns: HashSet<CampaignId>,
    keys: HashSet<String>,
    /// The names of those that are not revoked.
    key_names: HashSet<String>,
    /// Rising, as they are read.
    numbers: Vec<PhoneNumber>,
}

impl Ties {
    /// Takes the next record. What comes in order of its keys is there once already; the rest is looked at here.
    ///
    /// # Errors
    /// Says what no store could have beside what was read before.
    pub(super) fn take(&mut self, record: &Record) -> Result<(), String> {
        match record {
            Record::Pool(pool) => match self.pools.insert(pool.id.clone()) {
                true => Ok(()),
                false => Err(format!("pool `{}` is there twice", pool.id)),
            },
            Record::Number(number) => {
                self.numbers.push(number.number);
                self.check_pool(&format!("number {}", number.number), &number.pool)
            }
            Record::Campaign(campaign) => self.take_campaign(campaign),
            Record::Deleted(removed) => match self.numbers.binary_search(&removed.number) {
                Ok(_) => Err(format!(
                    "number {} is deleted and is among the numbers",
                    removed.number
                )),
                Err(_) => Ok(()),
            },
            Record::Key(key) => self.take_key(key),
            Record::Hour(sum) => check_counts(&sum.calls),
            Record::Day(sum) => check_counts(&sum.calls),
            Record::Call(_) | Record::Marks(_) | Record::Entry(_) => Ok(()),
        }
    }

    fn take_campaign(&mut self, campaign: &Campaign) -> Result<(), String> {
        let name = format!("campaign `{}`", campaign.id);
        for pool in &campaign.pools {
            self.check_pool(&name, pool)?;
        }
        match self.campaigns.insert(campaign.id.clone()) {
            true => Ok(()),
            false => Err(format!("{name} is there twice")),
        }
    }

    fn take_key(&mut self, key: &ApiKey) -> Result<(), String> {
        let (id, name) = (key.id.0.escape_debug(), key.name.escape_debug());
        if !self.keys.insert(key.id.0.clone()) {
            return Err(format!("API key `{id}` is there twice"));
        }
        if key.revoked_at.is_none() && !self.key_names.insert(key.name.clone()) {
            return Err(format!(
                "API key `{id}` has the name of another, `{name}`, and neither is revoked"
            ));
        }
        Ok(())
    }

    fn check_pool(&self, name: &str, pool: &PoolId) -> Result<(), String> {
        match self.pools.contains(pool) {
            true => Ok(()),
            false => Err(format!(
                "{name} names the pool `{pool}`, which is not there"
            )),
        }
    }
}

/// Stores keep counts as numbers with a sign.
fn check_counts(calls: &Calls) -> Result<(), String> {
    let largest = calls.counts().into_iter().max().unwrap_or_default();
    match i64::try_from(largest) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{largest} calls or seconds are more than are kept")),
    }
}

//! Taking over what history knows: into a Redis that lost it, or never had it.

use caller_id_core::agent_limit::Arrival;
use caller_id_core::allocator::Shown;
use caller_id_core::usage::Usage;
use caller_id_core::{
    AgentId, AllocationRecord, AllocatorError, CallId, PhoneNumber, Recovered, Timestamp,
};

use super::event::six;
use super::inventory::unexpected;
use super::reply::{Reply, digits_of};
use super::step::{Arguments, digits};
use super::{Engine, RECOVERED_AT_ONCE, event};

/// A destination is worth knowing for a day at least; until when exactly, the pool's policy says.
const SHOWN_LEAST_MS: i64 = 30 * 86_400_000;
/// A count of five minutes has three bytes.
const USES_MOST: u32 = (1 << 24) - 1;

impl Engine {
    /// Takes over what history knows of numbers that were put before.
    pub(super) async fn recover(&self, recovered: Recovered) -> Result<(), AllocatorError> {
        let usages = recovered
            .usages
            .iter()
            .map(|(number, of)| usage(*number, of));
        let calls = recovered.calls.iter().filter_map(call);
        let shown = recovered.shown.iter().map(shown);
        let agents = recovered.agents.iter().map(|(id, at)| agent(id, *at));
        let all: Vec<Arguments> = usages.chain(calls).chain(shown).chain(agents).collect();
        let rebuild = self.claim().map(digits_of).unwrap_or_default();
        for some in all.chunks(RECOVERED_AT_ONCE) {
            let arguments = [vec![rebuild.clone()], some.concat()].concat();
            match self
                .run_with_days(&self.scripts.recover, &arguments)
                .await?
            {
                Reply::Done => {}
                other => return Err(unexpected(&other).into()),
            }
        }
        Ok(())
    }
}

fn usage(number: PhoneNumber, usage: &Usage) -> Arguments {
    let (bucket, uses) = usage.hour.parts();
    let (start, day_uses, before, day_last) = usage.day.parts();
    let uses = uses.iter().map(|uses| (*uses).min(USES_MOST));
    let mut use_so_far = Vec::with_capacity(79);
    use_so_far.extend(six(usage.last_used_at));
    use_so_far.extend(six(usage.last_end_at));
    use_so_far.extend(u32::try_from(bucket).unwrap_or(0).to_be_bytes());
    use_so_far.extend(uses.clone().sum::<u32>().to_be_bytes());
    for uses in uses {
        use_so_far.extend(&uses.to_be_bytes()[1..]);
    }
    use_so_far.extend(six(start));
    use_so_far.extend(day_uses.to_be_bytes());
    use_so_far.extend(before.to_be_bytes());
    use_so_far.extend(six(day_last));
    let holds = usage.holds.iter().flat_map(|hold| {
        let id = hold.id.as_bytes().iter().copied();
        id.chain(six(hold.until)).collect::<Vec<u8>>()
    });
    vec![
        b"usage".to_vec(),
        digits(number),
        use_so_far,
        holds.collect(),
    ]
}

fn call(record: &AllocationRecord) -> Option<Arguments> {
    let call_id = record.call_id.as_ref().map(CallId::as_str)?;
    Some(vec![
        b"call".to_vec(),
        call_id.into(),
        event::allocated(record),
        ms(record.reserved_until),
    ])
}

fn shown(shown: &Shown) -> Arguments {
    vec![
        b"shown".to_vec(),
        digits(shown.destination),
        shown.pool.as_str().into(),
        digits(shown.number),
        ms(shown.at),
        ms(shown.at.plus_ms(SHOWN_LEAST_MS)),
    ]
}

fn agent(id: &AgentId, arrival: Arrival) -> Arguments {
    let arrival = arrival.as_us().to_string().into();
    vec![b"agent".to_vec(), id.as_str().into(), arrival]
}

fn ms(at: Timestamp) -> Vec<u8> {
    at.as_ms().to_string().into()
}

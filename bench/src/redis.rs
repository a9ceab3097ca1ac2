//! Picks in Redis: how long its one core is busy with each, at few numbers and at many, and how much memory a number takes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use caller_id_core::{
    AgentLimit, AllocationRequest, Allocator, Ask, EngineNumber, Limits, Outcome, PhoneNumber,
    Policy, PoolId, SharedAllocator, Status,
};
use caller_id_engine::RedisAllocator;
use caller_id_engine::redis::{Settings, Time};
use caller_id_testkit::redis::RedisServer;

use crate::numbers::inventory;
use crate::pick::Dialer;

const PICKS: usize = 60_000;
/// Redis makes its table of keys larger once they are more than a power of two, key by key: that is over then.
const WARM_UP: usize = 150_000;
/// Requests that wait at the same time: they go to Redis in calls of many.
const AT_ONCE: usize = 64;

/// A Redis of our own, and the engine on it.
pub(crate) struct Rig {
    pub(crate) engine: Arc<RedisAllocator>,
    client: redis::Client,
    _server: RedisServer,
}

impl Rig {
    /// An empty engine with this policy for the pool `default`.
    pub(crate) async fn start(policy: Policy, time: Time) -> anyhow::Result<Self> {
        let server = RedisServer::start();
        let settings = Settings {
            response_timeout: Duration::from_secs(20),
            ..Settings::at(&server.url())
        };
        let engine = RedisAllocator::new(&settings, time)?;
        // An empty state, and nobody else there: it is whole.
        engine.claim_rebuild().await?;
        engine.declare_ready().await?;
        engine.put_pools(vec![(PoolId::default(), policy)]).await?;
        Ok(Self {
            engine,
            client: redis::Client::open(server.url())?,
            _server: server,
        })
    }

    /// Puts numbers with these limits.
    pub(crate) async fn put(&self, numbers: &[PhoneNumber], limits: Limits) -> anyhow::Result<()> {
        for some in numbers.chunks(5_000) {
            let rows = some.iter().map(|number| EngineNumber {
                number: *number,
                area_code: number.area_code(),
                status: Status::Active,
                pool: PoolId::default(),
                limits,
            });
            self.engine.put_numbers(rows.collect()).await?;
        }
        Ok(())
    }

    /// Asks for all of these, many at a time; gives how many got a number.
    pub(crate) async fn ask(&self, requests: Vec<AllocationRequest>) -> anyhow::Result<usize> {
        let mut tasks = tokio::task::JoinSet::new();
        let each = requests.len().div_ceil(AT_ONCE);
        for mine in requests.chunks(each) {
            let (engine, mine) = (self.engine.clone(), mine.to_vec());
            tasks.spawn(async move {
                let mut got = 0;
                for request in &mine {
                    let ask = Ask {
                        request,
                        pools: &[PoolId::default()],
                        agent_limit: AgentLimit::per_minute(1_000_000),
                    };
                    let outcome = engine.allocate(ask).await?;
                    got += usize::from(matches!(outcome, Outcome::Allocated(_)));
                }
                Ok::<usize, caller_id_core::AllocatorError>(got)
            });
        }
        let mut got = 0;
        while let Some(done) = tasks.join_next().await {
            got += done??;
        }
        Ok(got)
    }

    /// What Redis says of itself.
    fn info(&self, section: &str) -> anyhow::Result<String> {
        Ok(redis::cmd("INFO")
            .arg(section)
            .query(&mut self.client.get_connection()?)?)
    }

    /// Bytes that Redis has in use.
    fn memory(&self) -> anyhow::Result<f64> {
        let info = self.info("memory")?;
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        Ok(line.context("no used_memory")?.trim().parse()?)
    }

    /// Microseconds that scripts took since the last time.
    pub(crate) fn script_us(&self) -> anyhow::Result<f64> {
        let info = self.info("commandstats")?;
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("cmdstat_evalsha:"));
        let usec = line.and_then(|line| line.split("usec=").nth(1)?.split(',').next());
        let usec = usec.context("no usec of evalsha")?.parse()?;
        let mut connection = self.client.get_connection()?;
        redis::cmd("CONFIG")
            .arg("RESETSTAT")
            .exec(&mut connection)?;
        Ok(usec)
    }
}

/// What one count of numbers costs.
struct Cost {
    pick_us: f64,
    bytes: f64,
}

async fn cost(count: usize) -> anyhow::Result<Cost> {
    let policy = Policy {
        reservation_ms: 1,
        cooldown_ms: 0,
        sticky_ms: 3_600_000,
        ..Policy::default()
    };
    let rig = Rig::start(policy, Time::Server).await?;
    let numbers = inventory(count);
    let before = rig.memory()?;
    rig.put(&numbers, Limits::new(1_000_000, 1_000_000)).await?;
    let bytes = (rig.memory()? - before) / count as f64;
    let mut dialer = Dialer::new(&numbers);
    let mut requests = |count: usize| (0..count).map(|_| dialer.next_request()).collect();
    rig.ask(requests(WARM_UP)).await?;
    rig.script_us()?;
    let got = rig.ask(requests(PICKS)).await?;
    ensure!(
        got * 100 > PICKS * 95,
        "{got} of {PICKS} got a number: the bench must measure picks"
    );
    Ok(Cost {
        pick_us: rig.script_us()? / PICKS as f64,
        bytes,
    })
}

/// Prints picks a second of one core, bytes a number, and how much slower a thousand times the numbers is.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("## A pick in Redis, all rules on, {AT_ONCE} at a time");
    let runtime = tokio::runtime::Runtime::new()?;
    let mut picks = Vec::new();
    for count in [1_000, 1_000_000] {
        let cost = runtime.block_on(cost(count))?;
        println!(
            "{count:>9} numbers: {:>6.0} picks a second of one core ({:.1} us each), {:.0} bytes a number",
            1e6 / cost.pick_us,
            cost.pick_us,
            cost.bytes
        );
        picks.push(cost.pick_us);
    }
    println!(
        "1,000,000 numbers against 1,000: {:.2} times slower (asked: at most 2)\n",
        picks[1] / picks[0]
    );
    Ok(())
}

//! The services of the soak, and the servers that they need: each in folders of its own, on loopback and sockets alone.

use std::sync::Arc;

use anyhow::Context;
use caller_id_core::store::PastAllocation;
use caller_id_core::{HistoryStore, SystemClock, Timestamp};
use caller_id_store::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore};
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::{Keep, RedisServer, RedisSetup};
use caller_id_testkit::small_disk::SmallDisk;
use caller_id_testkit::stock::{AGENT_LIMIT, COOLDOWN_S, RESERVATION_S};
use caller_id_testkit::told::evidence::call_of;
use serde_json::Value;

use super::field::{Doors, Field};
use super::judge::Rest;
use super::seen::{ALONE, NAMES, NODES, SERVICES};
use super::stock;
use crate::client::Client;
use crate::server::{Server, Site, free_address};

/// The disk of the service alone, in MB.
const DISK_MB: u32 = 128;
/// The call that shows that a node knows the campaigns.
const FIRST: &str = "first";
/// Whatever is waited for comes in so many seconds, or not at all: a machine that is busy with other things is no fault.
pub(super) const PATIENCE_S: f64 = 180.0;

/// All of them. Services end before what they need.
pub(super) struct Places {
    pub(super) field: Arc<Field>,
    servers: [Option<Server>; SERVICES],
    /// None where this process may not mount.
    pub(super) disk: Option<SmallDisk>,
    pub(super) sites: [Site; SERVICES],
    pub(super) redis: RedisServer,
    pub(super) postgres: Postgres,
}

impl Places {
    /// Starts everything, and writes the numbers.
    pub(super) fn start() -> anyhow::Result<Self> {
        let setup = RedisSetup {
            keep: Keep::EverySecond,
            ..RedisSetup::default()
        };
        let (redis, postgres) = (setup.start(), Postgres::start());
        let database = postgres.url(&postgres.database());
        let mut sites = [Site::new()?, Site::new()?, Site::new()?];
        for (service, site) in sites.iter_mut().enumerate() {
            if NODES.contains(&service) {
                site.set("DATABASE_URL", &database);
                site.set("REDIS_URL", &redis.url());
            }
            for (name, value) in [
                ("NODE_NAME", NAMES[service].replace(' ', "-")),
                ("RESERVATION_TTL_SECONDS", RESERVATION_S.to_string()),
                ("CALLER_ID_COOLDOWN_SECONDS", COOLDOWN_S.to_string()),
                ("AGENT_RATE_LIMIT_PER_MIN", AGENT_LIMIT.to_string()),
            ] {
                site.set(name, &value);
            }
        }
        let mut places = Self {
            field: Arc::new(Field::new()),
            servers: Default::default(),
            disk: SmallDisk::mount_on(sites[ALONE].folder(), DISK_MB),
            sites,
            redis,
            postgres,
        };
        places.fill()?;
        Ok(places)
    }

    fn fill(&mut self) -> anyhow::Result<()> {
        for service in [NODES[0], ALONE] {
            let site = &self.sites[service];
            site.import(&stock::csv(site.folder())?, &["--mode", "db"])?;
        }
        for service in 0..SERVICES {
            self.up(service)?;
        }
        for service in [NODES[0], ALONE] {
            stock::arrange(&mut self.client(service)?)?;
        }
        for (service, name) in NAMES.into_iter().enumerate() {
            let mut client = self.client(service)?;
            let line = format!("GET /next-cid?to=14415550100&campaign=DAY&call={FIRST}");
            let known = || matches!(client.status_of(&line, ""), Ok((200, _)));
            let known = self.field.wait(PATIENCE_S, known);
            known.with_context(|| format!("{name} never knew the campaigns"))?;
            let body = format!("{{\"call_id\": \"{FIRST}\"}}");
            client.status_of("POST /api/v1/release", &body)?;
        }
        Ok(())
    }

    fn client(&self, service: usize) -> anyhow::Result<Client> {
        let doors = self.field.doors(service).context("it is not there")?;
        Client::of(doors.http)
    }

    /// Starts a service and waits until it is ready.
    pub(super) fn up(&mut self, service: usize) -> anyhow::Result<()> {
        let agi = free_address()?;
        let server = self.sites[service].serve(&[("AGI_LISTEN", &agi.to_string())])?;
        let doors = Doors {
            http: server.address,
            agi,
        };
        self.servers[service] = Some(server);
        self.field.now_at(service, Some(doors));
        Ok(())
    }

    /// Ends it as `kill -9` does.
    pub(super) fn kill(&mut self, service: usize) {
        self.field.now_at(service, None);
        self.servers[service] = None;
    }

    pub(super) fn server(&self, service: usize) -> anyhow::Result<&Server> {
        let server = self.servers[service].as_ref();
        server.with_context(|| format!("{} does not run", NAMES[service]))
    }

    /// How many events wait for PostgreSQL, as a node says. None: it cannot say.
    pub(super) fn waiting(&self, node: usize) -> Option<u64> {
        let (_, health): (u16, Value) =
            self.client(node).ok()?.status_of("GET /health", "").ok()?;
        health["outbox"]["events"].as_u64()
    }

    /// What each takes now, when nobody asks it anything.
    pub(super) fn at_rest(&self) -> anyhow::Result<[Rest; SERVICES]> {
        let mut rests = [Rest {
            mb: 0.0,
            handles: 0,
        }; SERVICES];
        for (service, rest) in rests.iter_mut().enumerate() {
            let server = self.server(service)?;
            *rest = Rest {
                mb: server.memory_mb()?,
                handles: server.handles()?,
            };
        }
        Ok(rests)
    }

    /// Tells all services to end; a sentence for each that does not do it in order, or that ever panicked.
    pub(super) fn end(&mut self) -> anyhow::Result<Vec<String>> {
        let mut odd = Vec::new();
        for (service, server) in self.servers.iter_mut().enumerate() {
            self.field.now_at(service, None);
            let code = server.take().context("it runs")?.end()?;
            if code != Some(0) {
                odd.push(format!("{} ended with {code:?}, not 0", NAMES[service]));
            }
            let log = std::fs::read_to_string(self.sites[service].log())?;
            let panics = log.lines().filter(|line| line.contains("panicked"));
            odd.extend(panics.map(|line| format!("{} panicked: {line}", NAMES[service])));
        }
        Ok(odd)
    }

    /// The whole history of the nodes, and that of the service alone. None of them may run.
    pub(super) fn histories(&self) -> anyhow::Result<[Vec<PastAllocation>; 2]> {
        let url = self.sites[NODES[0]].setting("DATABASE_URL");
        let url = url.context("the nodes have a database")?;
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            let options = PostgresOptions::new(Arc::new(SystemClock::new()));
            let of_nodes = whole(&*PostgresStore::open(url, options).await?).await?;
            let options = SqliteOptions::new(Arc::new(SystemClock::new()));
            let store = SqliteStore::open(&self.sites[ALONE].database(), options)?;
            store.settle().await?;
            let of_alone = whole(&*store).await?;
            store.close().await;
            Ok([of_nodes, of_alone])
        })
    }
}

/// All that is in a store but for the calls that were made before the dialers'.
async fn whole(store: &dyn HistoryStore) -> anyhow::Result<Vec<PastAllocation>> {
    let mut history = Vec::new();
    store
        .allocations_since(Timestamp::ZERO, &mut |past| history.push(past))
        .await?;
    history.retain(|past| call_of(past) != FIRST);
    Ok(history)
}

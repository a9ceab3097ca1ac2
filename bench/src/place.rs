//! Where the service keeps what it has: a file, or Redis and PostgreSQL.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use caller_id_core::{NumberFormat, PhoneNumber};
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::RedisServer;

use crate::server::Site;

/// Settings of a server that keeps what it acknowledged, with memory as a small one has.
const SERVER: [&str; 3] = ["fsync=on", "shared_buffers=512MB", "max_wal_size=4GB"];

/// Which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// State in memory.
    Sqlite,
    /// State in Redis.
    Postgres,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL + Redis",
        }
    }
}

/// An empty one, with the servers it needs.
pub(crate) struct Place {
    pub(crate) site: Site,
    servers: Option<(RedisServer, Postgres)>,
    /// Its name there.
    database: String,
}

impl Place {
    pub(crate) fn new(kind: Kind) -> anyhow::Result<Self> {
        let mut site = Site::new()?;
        let mut database = String::new();
        let servers = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => {
                let servers = (RedisServer::start(), Postgres::start_with(&SERVER, &[]));
                database = servers.1.database();
                site.set("DATABASE_URL", &servers.1.url(&database));
                site.set("REDIS_URL", &servers.0.url());
                Some(servers)
            }
        };
        Ok(Self {
            site,
            servers,
            database,
        })
    }

    /// Has PostgreSQL look at what was written: by itself it does so within a minute or two, and plans badly until then.
    pub(crate) fn settle(&self) {
        self.psql("VACUUM (ANALYZE)");
    }

    /// What its PostgreSQL, where it has one, gives for these statements.
    pub(crate) fn psql(&self, sql: &str) -> Option<String> {
        let (_, postgres) = self.servers.as_ref()?;
        Some(postgres.psql(&self.database, sql))
    }

    /// The URL of its PostgreSQL.
    pub(crate) fn database_url(&self) -> anyhow::Result<String> {
        let url = self.site.setting("DATABASE_URL");
        Ok(url.context("a place without PostgreSQL")?.to_owned())
    }
}

/// Writes a file of these numbers as an owner of many has them: pools that were bought one after the other, most numbers alike,
/// and some of them rare. Pools from the fifteenth on have their numbers from one carrier.
pub(crate) fn csv(site: &Site, numbers: &[PhoneNumber]) -> anyhow::Result<PathBuf> {
    let path = site.path("inventory.csv");
    let mut file = std::io::BufWriter::new(File::create(&path)?);
    writeln!(
        file,
        "caller_id,carrier,pool,attestation,status,daily_limit,hourly_limit"
    )?;
    let of_a_pool = numbers.len().div_ceil(20);
    for (place, number) in numbers.iter().enumerate() {
        let pool = place / of_a_pool;
        let carriers = ["Bandwidth", "Inteliquent", "Lumen", "Telnyx", "Twilio", ""];
        let carrier = match pool {
            15.. => "Telnyx",
            _ => carriers[place / 11 % carriers.len()],
        };
        let name = match place % 300_000 {
            7 => "rare".to_owned(),
            _ => format!("pool-{pool:02}"),
        };
        let level = ["A", "B", ""][place / 13 % 3];
        let status = match place % 1_000 {
            0..30 => "retired",
            500 => "paused",
            _ => "active",
        };
        let number = number.format(NumberFormat::E164);
        writeln!(
            file,
            "{number},{carrier},{name},{level},{status},1000000,1000000"
        )?;
    }
    file.flush()?;
    Ok(path)
}

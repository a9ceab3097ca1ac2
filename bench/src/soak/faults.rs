//! What is broken, one thing after the other, and whether the services come back from it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Context;

use super::office::SlowClients;
use super::places::{PATIENCE_S, Places};
use super::seen::{ALONE, NODES, Phase};
use crate::client::Client;

/// A service that has handed out so many numbers serves.
const ENOUGH: usize = 20;
/// No more events wait for PostgreSQL than load leaves there at any time.
const FEW_EVENTS: u64 = 1_000;
/// So many calls that a service with a full disk could give nothing: it has noticed.
const NOTICED: usize = 20;

const BOTH: &[usize] = &NODES;
const ALL: &[usize] = &[NODES[0], NODES[1], ALONE];

/// One thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Nothing,
    NodeKilled,
    NodeStopped,
    RedisKilled,
    RedisFlushed,
    PostgresAway,
    SlowClients,
    AloneKilled,
    DiskFull,
}

/// All, in the order in which they are tried.
pub(super) const ROUND: [Fault; 9] = [
    Fault::Nothing,
    Fault::NodeKilled,
    Fault::AloneKilled,
    Fault::NodeStopped,
    Fault::RedisKilled,
    Fault::PostgresAway,
    Fault::DiskFull,
    Fault::RedisFlushed,
    Fault::SlowClients,
];

impl Fault {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::NodeKilled => "kill -9 of node one",
            Self::NodeStopped => "kill -STOP of node two",
            Self::RedisKilled => "kill -9 of Redis",
            Self::RedisFlushed => "Redis is flushed",
            Self::PostgresAway => "PostgreSQL is away",
            Self::SlowClients => "slow clients",
            Self::AloneKilled => "kill -9 of the one alone",
            Self::DiskFull => "its disk is full",
        }
    }

    /// Which services it concerns.
    const fn hits(self) -> &'static [usize] {
        match self {
            Self::Nothing | Self::SlowClients => ALL,
            Self::NodeKilled => &[NODES[0]],
            Self::NodeStopped => &[NODES[1]],
            Self::RedisKilled | Self::RedisFlushed | Self::PostgresAway => BOTH,
            Self::AloneKilled | Self::DiskFull => &[ALONE],
        }
    }

    /// Breaks it for a while, waits until the services are well again, and then until the phase is over, `seconds` after its
    /// beginning.
    pub(super) fn phase(self, places: &mut Places, seconds: f64) -> anyhow::Result<Phase> {
        let field = places.field.clone();
        let from = field.seconds();
        self.happen(places, Duration::from_secs_f64(seconds * 0.4))?;
        let again = self.wait_until_all_is_well(places);
        field.wait_until(from + seconds);
        Ok(Phase {
            name: self.name(),
            hits: self.hits(),
            from,
            to: field.seconds(),
            again,
        })
    }

    fn happen(self, places: &mut Places, time: Duration) -> anyhow::Result<()> {
        match self {
            Self::Nothing => {}
            Self::NodeKilled => {
                places.kill(NODES[0]);
                places.up(NODES[0])?;
            }
            Self::AloneKilled => {
                places.kill(ALONE);
                places.up(ALONE)?;
            }
            Self::NodeStopped => {
                places.server(NODES[1])?.signal("-STOP")?;
                thread::sleep(time);
                places.server(NODES[1])?.signal("-CONT")?;
            }
            Self::RedisKilled => places.redis.restart_keeping(),
            Self::RedisFlushed => {
                let _: String = places.redis.ask(&["FLUSHALL"])?;
            }
            Self::PostgresAway => {
                places.postgres.down();
                thread::sleep(time);
                places.postgres.up();
            }
            Self::SlowClients => be_slow(places, time)?,
            Self::DiskFull => fill_the_disk(places, time)?,
        }
        Ok(())
    }

    /// Tells how many seconds it took.
    fn wait_until_all_is_well(self, places: &Places) -> Option<f64> {
        let field = &places.field;
        let before: Vec<_> = self
            .hits()
            .iter()
            .map(|service| field.handed(*service))
            .collect();
        field.wait(PATIENCE_S, || {
            let mut served = self.hits().iter().zip(&before);
            served.all(|(service, before)| field.handed(*service) >= before + ENOUGH)
                // What waited for PostgreSQL is there before anything else is broken.
                && NODES.iter().all(|node| places.waiting(*node).is_some_and(|few| few < FEW_EVENTS))
        })
    }
}

fn be_slow(places: &Places, time: Duration) -> anyhow::Result<()> {
    let mut slow = Vec::new();
    for service in ALL {
        let doors = places.field.doors(*service).context("it is there")?;
        let who = Client::signed_in(doors.http)?.who().to_owned();
        slow.push(SlowClients::on(doors, &who));
    }
    thread::sleep(time);
    let open: usize = slow.iter().map(SlowClients::count).sum();
    anyhow::ensure!(open > 0, "no slow client got a connection");
    Ok(())
}

/// Fills the disk of the service alone, and waits until it has noticed, before there is room again.
fn fill_the_disk(places: &Places, time: Duration) -> anyhow::Result<()> {
    let (field, path) = (&places.field, places.sites[ALONE].path("filler"));
    let before = field.unavailable(ALONE);
    let mut filler = File::create(&path)?;
    let noticed = field.wait(PATIENCE_S, || {
        fill(&mut filler);
        field.unavailable(ALONE) >= before + NOTICED
    });
    thread::sleep(time);
    drop(filler);
    free(&path)?;
    noticed.context("the service alone never noticed that its disk was full")?;
    Ok(())
}

/// Writes until there is no room.
fn fill(filler: &mut File) {
    for piece in [1 << 20, 4_096, 512] {
        let piece = vec![1; piece];
        while filler.write_all(&piece).is_ok() {}
    }
}

fn free(path: &Path) -> anyhow::Result<()> {
    std::fs::remove_file(path).context("the disk stays full")
}

//! Three nodes on one Redis and one PostgreSQL under load, while parts of them fail: what was answered holds.

#![cfg(unix)]

#[path = "process_kit/client.rs"]
mod client;
#[path = "cluster/clocks.rs"]
mod clocks;
#[path = "cluster/dialers.rs"]
mod dialers;
#[path = "process_kit/inventory.rs"]
mod inventory;
#[path = "cluster/jobs.rs"]
mod jobs;
#[path = "cluster/keys.rs"]
mod keys;
#[path = "cluster/losses.rs"]
mod losses;
#[path = "process_kit/older.rs"]
mod older;
#[path = "process_kit/process.rs"]
mod process;
#[path = "cluster/rebuilds.rs"]
mod rebuilds;
#[path = "cluster/rig.rs"]
mod rig;
#[path = "cluster/states.rs"]
mod states;
#[path = "cluster/stops.rs"]
mod stops;
#[path = "cluster/upgrade.rs"]
mod upgrade;

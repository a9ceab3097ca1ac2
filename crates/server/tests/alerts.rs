//! Alerts: what is told, how it is delivered, and to whom nothing is shown. Against a receiver that fails on purpose.

#[path = "alerts/cluster.rs"]
mod cluster;
#[path = "alerts/command.rs"]
mod command;
#[path = "alerts/delivery.rs"]
mod delivery;
#[path = "alerts/hook.rs"]
mod hook;
#[path = "alerts/ledger.rs"]
mod ledger;
#[path = "alerts/node.rs"]
mod node;
#[path = "alerts/refused_rows.rs"]
mod refused_rows;
#[path = "alerts/restart.rs"]
mod restart;
#[path = "alerts/service.rs"]
mod service;

//! Alerts: trouble is told to whoever ALERT_WEBHOOK_URL names, once, signed, and not at night unless it is serious.
//!
//! A task judges every ten seconds, by what the overview knows already; calls never wait for it. [`ledger`] decides what is
//! told and what not, [`Outgoing`] holds what waits, [`deliver`] posts it. See docs/alerts.md.

mod attacks;
pub mod deadline;
pub mod deliver;
pub mod kind;
pub mod ledger;
mod memory;
pub mod message;
pub mod outgoing;
pub mod plain;
pub mod post;
pub mod watch;

pub use self::deadline::Deadline;
pub use self::deliver::Delivery;
pub use self::kind::{Kind, Severity};
pub use self::message::{Message, State};
pub use self::outgoing::{Counts, Outgoing};
pub use self::post::Receiver;
pub use self::watch::Watch;

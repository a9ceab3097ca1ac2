//! The printed dialplans on a real Asterisk 16 with a carrier behind it: real calls, placed as VICIdial's dialer places them.
//!
//! `make test-asterisk` runs them, and they alone: they need root, for a Debian folder that holds that Asterisk.

#![cfg(target_os = "linux")]

#[path = "asterisk/addresses.rs"]
mod addresses;
#[path = "asterisk/calls.rs"]
mod calls;
#[path = "process_kit/client.rs"]
#[expect(dead_code, reason = "other tests of the binary use more of it")]
mod client;
#[path = "asterisk/faults.rs"]
mod faults;
#[path = "asterisk/gateway.rs"]
mod gateway;
#[path = "asterisk/manager.rs"]
mod manager;
#[path = "asterisk/printed.rs"]
mod printed;
#[path = "asterisk/process.rs"]
mod process;
#[path = "asterisk/repeats.rs"]
mod repeats;
#[path = "asterisk/rig.rs"]
mod rig;
#[path = "asterisk/service.rs"]
mod service;
#[path = "asterisk/stubs.rs"]
mod stubs;
#[path = "asterisk/trunks.rs"]
mod trunks;

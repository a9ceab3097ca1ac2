//! The service as its users see it: the real engine and the real store, asked through the router or over TCP.

mod access;
mod administration;
mod allocations;
mod audit;
mod broken_store;
mod bulk;
mod call_result;
mod connections;
mod contract;
mod coverage;
mod explain;
mod faults;
mod hostile;
mod key_routes;
mod keys;
mod lookup;
mod matrix;
mod methods;
mod metrics;
mod numbers;
mod overview;
mod pools;
mod process;
mod requests;
mod reservations;
#[cfg(target_os = "linux")]
mod secrets;
mod settings;
mod sign_in;
mod slow_readers;
mod sso;
mod sso_browser;
mod stats;
mod support;
mod sync;
mod tokens;
mod upload;
#[cfg(unix)]
mod warnings;
mod wire;

/// All state in the process, history in a file.
const COMBINATION: support::Combination = support::Combination {
    redis: false,
    postgres: false,
};

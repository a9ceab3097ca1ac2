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
mod dashboard_administration;
mod dashboard_bulk;
mod dashboard_calls;
mod dashboard_campaigns;
mod dashboard_coverage;
mod dashboard_explain;
mod dashboard_files;
mod dashboard_hostile;
mod dashboard_html;
mod dashboard_import;
mod dashboard_numbers;
mod dashboard_overview;
mod dashboard_person;
mod dashboard_pools;
mod dashboard_roles;
mod dashboard_routes;
mod dashboard_speed;
mod dashboard_stocked;
mod explain;
mod faults;
mod found_again;
mod hostile;
#[path = "../dashboard/hostile_texts.rs"]
mod hostile_texts;
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
mod web_pages;
mod wire;

/// All state in the process, history in a file.
const COMBINATION: support::Combination = support::Combination {
    redis: false,
    postgres: false,
};

//! What users see is the same whatever keeps it: hot state in the process, history in PostgreSQL.

#[path = "api/access.rs"]
mod access;
#[path = "api/administration.rs"]
mod administration;
#[path = "api/allocations.rs"]
mod allocations;
#[path = "api/audit.rs"]
mod audit;
#[path = "api/bulk.rs"]
mod bulk;
#[path = "api/call_result.rs"]
mod call_result;
#[path = "api/contract.rs"]
mod contract;
#[path = "api/coverage.rs"]
mod coverage;
#[path = "api/explain.rs"]
mod explain;
#[path = "api/faults.rs"]
mod faults;
#[path = "api/found_again.rs"]
mod found_again;
#[path = "api/key_routes.rs"]
mod key_routes;
#[path = "api/keys.rs"]
mod keys;
#[path = "api/lookup.rs"]
mod lookup;
#[path = "api/methods.rs"]
mod methods;
#[path = "api/metrics.rs"]
mod metrics;
#[path = "api/numbers.rs"]
mod numbers;
#[path = "api/overview.rs"]
mod overview;
#[path = "api/pools.rs"]
mod pools;
#[path = "api/requests.rs"]
mod requests;
#[path = "api/reservations.rs"]
mod reservations;
#[path = "api/settings.rs"]
mod settings;
#[path = "api/stats.rs"]
mod stats;
#[path = "api/support.rs"]
mod support;

const COMBINATION: support::Combination = support::Combination {
    redis: false,
    postgres: true,
};

//! The service behind a real nginx, with exactly the directives of `deploy/nginx/caller-id.conf`, in a server block like
//! those that Plesk writes. nginx must be installed: `make deps` does it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "nginx/addresses.rs"]
mod addresses;
#[path = "nginx/client.rs"]
mod client;
#[path = "nginx/files.rs"]
mod files;
#[path = "nginx/flow.rs"]
mod flow;
#[path = "nginx/page.rs"]
mod page;
#[path = "nginx/proxy.rs"]
mod proxy;
#[path = "start/run.rs"]
#[expect(dead_code, reason = "the tests of the start need more of it")]
mod run;
#[path = "nginx/site.rs"]
mod site;
#[path = "nginx/uploads.rs"]
mod uploads;

//! The caller ID rotation service: everything that listens, and the command line.
//!
//! The binary is a thin `main`; the rest is a library, so that tests and benchmarks start a server in their own process.

pub mod accord;
pub mod alerts;
pub mod app;
pub mod asking;
pub mod audit_chain;
pub mod audit_csv;
pub mod auth;
pub mod backup;
pub mod cached;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod defaults;
mod digits;
mod direction;
pub mod doctor;
pub mod drainer;
pub mod fastagi;
pub mod fence;
pub mod finder;
pub mod http;
pub mod jobs;
pub mod meters;
pub mod metrics;
pub mod mismatch;
pub mod pairs;
pub mod pulse;
pub mod rebuild;
pub mod request_log;
pub mod retention;
pub mod rows;
pub mod serve;
pub mod spreadsheet;
pub mod summing;
pub mod supervisor;
pub mod sync;
pub mod telemetry;
pub mod timer;

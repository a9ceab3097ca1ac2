//! The rules of caller ID rotation: which number an outbound call presents, and why.
//!
//! This crate is pure: it does no I/O, reads no clock, and holds no lock. Engines and stores implement its ports
//! ([`Allocator`], [`Journal`], [`InventoryStore`], [`HistoryStore`]); the [`Rotator`] is the one use case that every
//! way in (HTTP, FastAGI, command line) calls.

pub mod agent_limit;
pub mod alert_board;
pub mod allocator;
pub mod area_code;
pub mod area_codes;
pub mod audit;
pub mod call_report;
pub mod destination;
pub mod eligibility;
pub mod explain;
pub mod fields;
pub mod history_query;
pub mod ids;
pub mod inspection;
pub mod inventory;
pub mod job_board;
pub mod journal;
pub mod ladder;
pub mod listing;
pub mod meter;
pub mod number;
pub mod outcome;
pub mod past;
pub mod policy;
pub mod recovery;
pub mod request;
pub mod roles;
pub mod rotator;
pub mod shared;
pub mod store;
pub mod takeover;
pub mod text;
pub mod time;
pub mod usage;
pub mod window;

pub use agent_limit::{AgentLimit, AgentLimits};
pub use allocator::{
    Allocator, AllocatorError, EngineNumber, InventoryStep, NumberState, Recovered,
};
pub use area_code::AreaCode;
pub use audit::{AuditLog, Author};
pub use call_report::{CallReport, ReportTarget, Reported};
pub use destination::{DestinationError, DialPlan};
pub use history_query::HistoryReader;
pub use ids::{AgentId, AllocationId, CallId, CampaignId, IdError, PoolId};
pub use inspection::Inspector;
pub use inventory::{Attestation, Campaign, Limits, Number, Pool, Status};
pub use journal::{AllocationRecord, CallEnd, CallResult, EndRecord, Journal, JournalEvent};
pub use ladder::{Ladder, Rung};
pub use number::{NumberError, NumberFormat, PhoneNumber};
pub use outcome::{Allocation, Cause, Exhausted, Outcome, ReleaseTarget};
pub use past::{CallFinder, PastAllocation, Sought};
pub use policy::{Policy, PolicyOverrides, TimeZone};
pub use request::{AllocationRequest, Ask};
pub use roles::{KeyStore, Role};
pub use rotator::Rotator;
pub use shared::{Outbox, SharedAllocator, Standing};
pub use store::{HistoryStore, InventoryStore, Position, StoreError};
pub use takeover::Takeover;
pub use time::{Clock, ManualClock, SystemClock, Timestamp};

//! Engines: holders of the hot state of rotation.
//!
//! [`MemoryAllocator`] keeps everything in this process and commits to a [`caller_id_core::Journal`] before it answers.
//! [`RedisAllocator`] keeps everything in Redis, for many nodes at once.

pub mod memory;
pub mod redis;

pub use memory::MemoryAllocator;
pub use redis::RedisAllocator;

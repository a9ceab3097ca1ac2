//! Engines: holders of the hot state of rotation.
//!
//! [`MemoryAllocator`] keeps everything in this process and commits to a [`caller_id_core::Journal`] before it answers.

pub mod memory;

pub use memory::MemoryAllocator;

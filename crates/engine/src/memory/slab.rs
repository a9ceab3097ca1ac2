//! Where the numbers are kept: in chunks that never move, so that a million of them cost no copying to grow.

use caller_id_core::usage::Usage;
use caller_id_core::{AreaCode, Limits, PhoneNumber, Status, Timestamp};

const CHUNK: usize = 1_024;

/// One number with all that the engine knows of it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) number: PhoneNumber,
    pub(super) area_code: Option<AreaCode>,
    pub(super) status: Status,
    pub(super) limits: Limits,
    pub(super) pool: u32,
    pub(super) usage: Usage,
    /// Where it stands in its pool's orders; `None` while it stands in none.
    pub(super) available_at: Option<Timestamp>,
}

/// The numbers, by slot. Slots are never given back: a number that is ours no longer stays, retired.
#[derive(Debug, Default)]
pub(super) struct Slab {
    chunks: Vec<Vec<Entry>>,
    len: u32,
}

impl Slab {
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    pub(super) fn push(&mut self, entry: Entry) -> u32 {
        if self.len as usize == self.chunks.len() * CHUNK {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(entry);
        }
        self.len += 1;
        self.len - 1
    }

    pub(super) fn get(&self, slot: u32) -> &Entry {
        &self.chunks[slot as usize / CHUNK][slot as usize % CHUNK]
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Entry {
        &mut self.chunks[slot as usize / CHUNK][slot as usize % CHUNK]
    }
}

//! What may be forgotten where the state is lost, and what must hold all the same. Pure.

use std::collections::HashSet;

use caller_id_core::Timestamp;

use super::{Ended, Handed, Log};

/// What may have been forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Nothing: the state was there all the time, or was kept whole.
    Whole,
    /// What nobody was told: Redis lost its state, and an answer that was lost with it is in the store at most.
    Acknowledged,
    /// Beside that, for a while, what a node had answered last that slept while the state was lost: it alone knew.
    AllBut {
        /// The node.
        node: usize,
        /// What it answered before was in the store.
        since: Timestamp,
    },
}

impl Certainty {
    /// Whether rules hold for what this node said then.
    pub fn covers(self, by: usize, at: Timestamp) -> bool {
        match self {
            Self::Whole | Self::Acknowledged => true,
            Self::AllBut { node, since } => by != node || at < since,
        }
    }

    /// The same of a number that was handed out.
    pub fn covers_handed(self, handed: &Handed) -> bool {
        self.covers(handed.node, handed.answered)
    }
}

/// The ends that history has as they were told. Where a node slept that alone knew of one, the reservation lived on without it:
/// then a result may have ended it once more, and that end stands.
pub(super) fn ends_that_stand(log: &Log, certainty: Certainty) -> Vec<Ended> {
    let reported = log.reported.iter().filter(|told| told.released);
    let again: HashSet<_> = reported.map(|told| told.id).collect();
    let stands = |(by, ended): &&(usize, Ended)| {
        certainty.covers(*by, ended.at) || !again.contains(&ended.id)
    };
    let ends = log.ended.iter().filter(stands);
    ends.map(|(_, ended)| ended.clone()).collect()
}

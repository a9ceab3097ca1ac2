//! What callers were told, and what the whole history must say of it, whatever failed meanwhile.

use std::collections::HashSet;

use caller_id_core::{AllocationId, CallEnd, PhoneNumber, Timestamp};

mod certainty;
pub mod evidence;
mod faults;

pub use self::certainty::Certainty;
pub use self::faults::faults;

/// A number was handed out for a call. The instants are of the callers' one clock.
#[derive(Debug, Clone)]
pub struct Handed {
    /// By which node.
    pub node: usize,
    /// The dialer's id of the call.
    pub call: String,
    /// The id of the reservation.
    pub id: AllocationId,
    /// What was handed out.
    pub number: PhoneNumber,
    /// Who is called.
    pub destination: PhoneNumber,
    /// The answer of before, said again.
    pub repeated: bool,
    /// When it was asked for.
    pub asked: Timestamp,
    /// When the answer was there.
    pub answered: Timestamp,
}

/// A reservation was ended, says a node.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The reservation.
    pub id: AllocationId,
    /// As the node says.
    pub at: Timestamp,
    /// How the call ended.
    pub end: CallEnd,
}

/// It was acknowledged that a result is kept.
#[derive(Debug)]
pub struct Reported {
    /// The reservation.
    pub id: AllocationId,
    /// What was reported.
    pub answered_seconds: u32,
    /// The reservation ended by it.
    pub released: bool,
}

/// All that callers were told.
#[derive(Debug, Default)]
pub struct Log {
    /// Numbers, in the order in which each caller got them.
    pub handed: Vec<Handed>,
    /// Each with the node that said so.
    pub ended: Vec<(usize, Ended)>,
    /// Results that are kept.
    pub reported: Vec<Reported>,
    /// When somebody first tried to end a reservation, whatever came of it.
    pub tried: Vec<(AllocationId, Timestamp)>,
    /// Calls that were neither given a number nor refused one.
    pub unknown: HashSet<String>,
    /// Why there was no number.
    pub causes: HashSet<String>,
}

impl Log {
    /// Takes over what another was told.
    pub fn take(&mut self, other: Self) {
        self.handed.extend(other.handed);
        self.ended.extend(other.ended);
        self.reported.extend(other.reported);
        self.tried.extend(other.tried);
        self.unknown.extend(other.unknown);
        self.causes.extend(other.causes);
    }
}

//! What a dialer says of a call when it is over.

use crate::ids::{AllocationId, CallId};
use crate::journal::CallEnd;
use crate::number::PhoneNumber;

/// How a call went. What the dialer did not say is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallReport {
    /// Asterisk's `DIALSTATUS`.
    pub status: CallEnd,
    /// How long the two talked, in seconds: `ANSWEREDTIME`.
    pub answered_seconds: Option<u32>,
    /// How long the call took from dialing to its end, in seconds: `DIALEDTIME`.
    pub dialed_seconds: Option<u32>,
    /// The cause of the hang-up, as ITU-T Q.850 numbers them: `HANGUPCAUSE`.
    pub hangup_cause: Option<u16>,
    /// The last answer of the other side, as SIP numbers them (RFC 3261): 200, 486, 603.
    pub sip_code: Option<u16>,
}

/// Which call is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportTarget {
    /// By the reservation's id in the answer.
    Reservation(AllocationId),
    /// By the dialer's id of the call.
    Call(CallId),
    /// The last call that showed this number to this destination.
    Shown {
        /// The number presented.
        number: PhoneNumber,
        /// The called party.
        destination: PhoneNumber,
    },
}

/// What became of a report. None of it is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// It is kept with this allocation.
    Kept {
        /// Which one.
        id: AllocationId,
        /// Whether its reservation lived, and ended by this.
        released: bool,
    },
    /// There is no such call, or it is too long ago.
    Unknown,
}

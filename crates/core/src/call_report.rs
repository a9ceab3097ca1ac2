//! What a dialer says of a call when it is over.

use std::str::FromStr;

use crate::ids::{AllocationId, CallId};
use crate::journal::CallEnd;
use crate::number::PhoneNumber;
use crate::text;

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

/// Reads how a call ended: the words of `DIALSTATUS`, in any case, and those of a CDR's disposition. Empty, and Asterisk's words
/// for calls that were never made, are [`CallEnd::Released`].
///
/// # Errors
/// Says what was given and what was expected.
pub fn dial_status(text: &str) -> Result<CallEnd, String> {
    match text.trim().to_ascii_uppercase().as_str() {
        "DONTCALL" | "TORTURE" | "INVALIDARGS" => Ok(CallEnd::Released),
        "ANSWERED" => Ok(CallEnd::Answer),
        "NO ANSWER" => Ok(CallEnd::NoAnswer),
        "FAILED" => Ok(CallEnd::Congestion),
        _ => text.parse(),
    }
}

/// Reads a duration in whole seconds; empty is none.
///
/// # Errors
/// Says what was expected.
pub fn seconds(text: &str) -> Result<Option<u32>, String> {
    optional(text, "whole seconds, 0 or more,", |_| true)
}

/// Reads how long the two talked in a call that ended like this, in whole seconds; empty is none. A call that was not answered has
/// no talk; one of which nobody said how it ended may have some.
///
/// # Errors
/// Says what was expected.
pub fn answered_seconds(text: &str, status: CallEnd) -> Result<Option<u32>, String> {
    let talked = seconds(text)?;
    let can_talk = matches!(status, CallEnd::Answer | CallEnd::Released);
    if !can_talk && talked.is_some_and(|seconds| seconds > 0) {
        let text = text::shown(text.trim());
        return Err(format!(
            "`{text}`: no talk expected in a call that ended {status}"
        ));
    }
    Ok(talked)
}

/// Reads the cause of a hang-up, as Q.850 numbers them; empty is none.
///
/// # Errors
/// Says what was expected.
pub fn hangup_cause(text: &str) -> Result<Option<u16>, String> {
    optional(text, "a number from 0 to 127", |cause| *cause <= 127)
}

/// Reads a SIP answer: its number, or the text that Asterisk has for it (`SIP 603 Decline`, `SIP/2.0 486 Busy Here`). Empty, and
/// what another technology says, is none.
///
/// # Errors
/// Says what was expected, where a number is none of SIP's.
pub fn sip_code(text: &str) -> Result<Option<u16>, String> {
    let is_code = |code: &u16| (100..=699).contains(code);
    let mut words = text.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    if first.starts_with(['-', '+']) || first.starts_with(|c: char| c.is_ascii_digit()) {
        return optional(first, "a number from 100 to 699", is_code);
    }
    let of_sip = first
        .get(..3)
        .is_some_and(|name| name.eq_ignore_ascii_case("SIP"));
    let code = words.next().filter(|_| of_sip);
    Ok(code.and_then(|code| code.parse().ok()).filter(is_code))
}

fn optional<T: FromStr>(
    text: &str,
    expected: &str,
    is_good: impl FnOnce(&T) -> bool,
) -> Result<Option<T>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let value = text.parse().ok().filter(is_good);
    value
        .map(Some)
        .ok_or_else(|| format!("`{}`: {expected} expected", text::shown(text)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_dialplans_and_of_cdrs_are_understood() {
        for (text, end) in [
            ("ANSWER", CallEnd::Answer),
            ("answered", CallEnd::Answer),
            (" NO ANSWER ", CallEnd::NoAnswer),
            ("NOANSWER", CallEnd::NoAnswer),
            ("BUSY", CallEnd::Busy),
            ("CANCEL", CallEnd::Cancel),
            ("FAILED", CallEnd::Congestion),
            ("CHANUNAVAIL", CallEnd::ChanUnavail),
            ("TORTURE", CallEnd::Released),
            ("", CallEnd::Released),
        ] {
            assert_eq!(dial_status(text), Ok(end), "{text}");
        }
        assert!(dial_status("HUNGUP").is_err());
    }

    #[test]
    fn the_code_is_found_in_what_asterisk_says_of_sip() {
        for (text, code) in [
            ("603", Some(603)),
            ("SIP 603 Decline", Some(603)),
            ("SIP/2.0 486 Busy Here", Some(486)),
            ("sip 200 OK", Some(200)),
            ("", None),
            ("  ", None),
            ("SIP", None),
            ("SIP BYE", None),
            ("DAHDI 17", None),
        ] {
            assert_eq!(sip_code(text), Ok(code), "{text}");
        }
        for wrong in ["-1", "42", "700", "4860", "486x"] {
            assert!(sip_code(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_a_call_that_may_have_been_answered_has_talk() {
        for (status, talked) in [
            (CallEnd::Answer, Some(58)),
            (CallEnd::Released, Some(58)),
            (CallEnd::Busy, None),
            (CallEnd::NoAnswer, None),
            (CallEnd::Cancel, None),
            (CallEnd::Congestion, None),
            (CallEnd::ChanUnavail, None),
        ] {
            assert_eq!(answered_seconds("58", status).ok().flatten(), talked);
            assert_eq!(answered_seconds("", status), Ok(None), "{status}");
            assert_eq!(answered_seconds("0", status), Ok(Some(0)), "{status}");
            assert!(answered_seconds("-1", status).is_err(), "{status}");
        }
        let said = answered_seconds(" 58 ", CallEnd::Busy);
        let expected = "`58`: no talk expected in a call that ended BUSY";
        assert_eq!(said, Err(expected.to_owned()));
    }

    #[test]
    fn seconds_and_causes_are_whole_numbers_or_nothing() {
        assert_eq!((seconds(""), seconds(" 42 ")), (Ok(None), Ok(Some(42))));
        assert_eq!(
            (hangup_cause(""), hangup_cause("16")),
            (Ok(None), Ok(Some(16)))
        );
        for wrong in ["-1", "1.5", "x", "4294967296"] {
            assert!(
                seconds(wrong).is_err() && hangup_cause(wrong).is_err(),
                "{wrong}"
            );
        }
        assert!(hangup_cause("128").is_err());
    }
}

//! What codes mean, for people.

/// How a number was chosen.
pub(super) fn rung(rung: &str) -> Option<&'static str> {
    Some(match rung {
        "sticky" => "the number that this party was shown before",
        "area_code" => "a number with the area code of the called party",
        "overlay" => "a number of another area code of the same territory",
        "region" => "a number of the same state or province",
        "any" => "the number that was free the longest: none nearer was free",
        _ => return None,
    })
}

/// The cause of a hang-up (ITU-T Q.850).
pub(super) fn cause(code: u64) -> Option<&'static str> {
    Some(match code {
        1 => "the called number does not exist",
        3 => "no route to the called network",
        16 => "hung up as usual",
        17 => "busy",
        18 => "no telephone answered the network",
        19 => "rang, and nobody answered",
        20 => "the telephone was switched off or out of reach",
        21 => "the call was rejected",
        22 => "the called number has changed",
        26 | 127 => "ended between two networks, the reason is not known",
        27 => "the line of the called party is out of order",
        28 => "the called number is not complete",
        31 => "ended as usual, no reason given",
        34 => "no free line",
        38 => "the network is out of order",
        41 => "the network failed for a moment",
        42 => "the network is overloaded",
        44 => "the line asked for is not free",
        50 => "not part of the subscription",
        57 => "not allowed on this line",
        58 => "not possible on this line just now",
        88 => "the two sides do not fit",
        102 => "no answer from the network in time",
        _ => return None,
    })
}

/// The last answer of the other side: SIP (RFC 3261, 8197, 8688).
pub(super) fn sip(code: u64) -> Option<&'static str> {
    Some(match code {
        200 => "answered",
        401 | 407 => "the trunk wanted to know who calls",
        403 => "forbidden by the carrier",
        404 => "the called number does not exist",
        408 => "no answer in time",
        410 => "the called number exists no more",
        480 => "not to be reached just now",
        484 => "the called number is not complete",
        486 => "busy",
        487 => "ended by the caller before anybody answered",
        488 => "the two sides do not fit",
        500 => "the other side failed",
        502 => "the network behind the carrier failed",
        503 => "the carrier takes no calls just now",
        504 => "the network behind the carrier did not answer in time",
        600 => "busy everywhere",
        603 => "declined: by the called party, or by what filters calls for them",
        604 => "exists nowhere",
        607 => "unwanted: the called party does not want calls from this number",
        608 => "rejected: what filters calls for the called party took it for spam",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use caller_id_core::Rung;

    #[test]
    fn every_rung_has_words() {
        let rungs = Rung::ALL;
        for one in rungs {
            assert!(rung(one.as_str()).is_some(), "{one:?}");
        }
    }

    #[test]
    fn of_a_code_that_is_not_known_nothing_is_said() {
        assert_eq!((cause(16), cause(999)), (Some("hung up as usual"), None));
        assert_eq!((sip(486), sip(199)), (Some("busy"), None));
    }
}

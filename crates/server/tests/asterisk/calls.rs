//! Two hundred calls, 40 a second: each shows a number of its own, and its end is kept.

use std::collections::{HashMap, HashSet};

use caller_id_core::store::PastAllocation;
use caller_id_core::{CallEnd, CallId, CallReport, CampaignId, NumberFormat};

use crate::gateway::Invite;
use crate::printed::printed;
use crate::rig::{CAMPAIGN, Placed, Rig};
use crate::service::{Service, Via};

const CALLS: u32 = 200;
const PER_SECOND: u32 = 40;

#[test]
fn calls_by_fastagi_over_chan_sip() {
    calls_show_numbers_of_the_pool(Via::Agi, "sip");
}

#[test]
fn calls_by_fastagi_over_pjsip() {
    calls_show_numbers_of_the_pool(Via::Agi, "pjsip");
}

#[test]
fn calls_by_curl_over_chan_sip() {
    calls_show_numbers_of_the_pool(Via::Curl, "sip");
}

#[test]
fn calls_by_curl_over_pjsip() {
    calls_show_numbers_of_the_pool(Via::Curl, "pjsip");
}

/// The lines for a service, as its user prints them.
pub(crate) fn lines(service: &Service, via: Via, trunk: &str, more: &str) -> String {
    let way = match via {
        Via::Agi => "agi",
        Via::Curl => "curl",
    };
    let host = service.host(via);
    printed(&format!(
        "--peer gw --asterisk 16 --trunk {trunk} --via {way} --host {host} {more}"
    ))
}

fn calls_show_numbers_of_the_pool(via: Via, trunk: &str) {
    let service = Service::start();
    let mut rig = Rig::start(&lines(&service, via, trunk, ""));
    let at_start = rig.complaints().len();
    let placed = rig.calls(CALLS, PER_SECOND, |_| {});
    let seen = rig.seen(placed.len());
    let shown = each_shows_its_own(&placed, &seen);
    assert_eq!(rig.complaints().split_off(at_start), Vec::<String>::new());
    let mut h_ran = rig.h_ran();
    h_ran.sort_unstable();
    let names: Vec<_> = placed.iter().map(|call| call.id.clone()).collect();
    assert_eq!(h_ran, names, "VICIdial's h extension runs once a call");
    history_has(&service.history(), &placed, &shown, trunk);
}

/// Each call shows a number of its destination's area code, which no other shows, in both headers, under VICIdial's name.
fn each_shows_its_own(placed: &[Placed], seen: &[Invite]) -> HashMap<String, String> {
    let ids: HashMap<_, _> = placed
        .iter()
        .map(|call| (&call.destination, &call.id))
        .collect();
    for invite in seen {
        assert_eq!(invite.from.len(), 10, "{invite:?}");
        assert_eq!(invite.from[..3], invite.destination[1..4], "{invite:?}");
        assert_eq!(invite.from[3..6], *"333", "{invite:?}");
        assert_eq!(invite.asserted, invite.from, "{invite:?}");
        assert_eq!(&invite.name, ids[&invite.destination], "{invite:?}");
    }
    let numbers: HashSet<_> = seen.iter().map(|invite| &invite.from).collect();
    assert_eq!(numbers.len(), seen.len(), "a number is shown twice");
    let pairs = seen.iter();
    pairs
        .map(|invite| (invite.name.clone(), invite.from.clone()))
        .collect()
}

/// History has each call once, with the number that was shown, its campaign, and how it ended.
fn history_has(
    history: &[PastAllocation],
    placed: &[Placed],
    shown: &HashMap<String, String>,
    trunk: &str,
) {
    assert_eq!(history.len(), placed.len());
    let by_id: HashMap<_, _> = history
        .iter()
        .map(|past| {
            (
                past.record.call_id.as_ref().map_or("", CallId::as_str),
                past,
            )
        })
        .collect();
    for call in placed {
        let past = by_id[call.id.as_str()];
        let record = &past.record;
        let number = record.number.format(NumberFormat::National);
        assert_eq!(number, shown[&call.id], "{record:?}");
        let campaign = record.campaign.as_ref().map(CampaignId::as_str);
        assert_eq!(campaign, Some(CAMPAIGN));
        let end = past.ended.map(|ended| ended.end);
        let report = past.result.expect("the end is reported").report;
        let expected = Went::expected(&call.destination, trunk);
        assert_eq!((end, Went::of(&report)), (Some(expected.end), expected));
        if expected.end == CallEnd::Answer {
            // The near side hangs up after a second; on a busy machine that may become another second.
            let seconds = (report.answered_seconds, report.dialed_seconds);
            let is_plausible =
                matches!(seconds, (Some(1..=20), Some(1..=20))) && seconds.0 <= seconds.1;
            assert!(is_plausible, "{report:?}");
        } else {
            // Asterisk sets them for calls that were answered.
            assert_eq!(
                (report.answered_seconds, report.dialed_seconds),
                (None, None)
            );
        }
    }
}

/// How a call went, without how long it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Went {
    end: CallEnd,
    hangup_cause: Option<u16>,
    sip_code: Option<u16>,
}

impl Went {
    fn of(report: &CallReport) -> Self {
        Self {
            end: report.status,
            hangup_cause: report.hangup_cause,
            sip_code: report.sip_code,
        }
    }

    /// What the carrier does with a destination, as Asterisk calls it.
    fn expected(destination: &str, trunk: &str) -> Self {
        let (end, hangup_cause, sip_code) = match (&destination[4..7], trunk) {
            ("556", _) => (CallEnd::Busy, 17, 486),
            // Declined: the two drivers call it differently.
            ("557", "sip") => (CallEnd::Busy, 21, 603),
            ("557", _) => (CallEnd::ChanUnavail, 21, 603),
            _ => (CallEnd::Answer, 16, 200),
        };
        Self {
            end,
            hangup_cause: Some(hangup_cause),
            sip_code: Some(sip_code),
        }
    }
}

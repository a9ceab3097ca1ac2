//! What a carrier is shown of the number depends on the trunk, too: what docs/asterisk.md says of it, measured.

use crate::printed::printed;
use crate::rig::Rig;
use crate::service::{Service, Via};

/// Where the number is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    from: &'static str,
    asserted: &'static str,
}

const NUMBER: &str = "the number";
const ACCOUNT: &str = "acct123";
const NOTHING: &str = "";

fn seen(from: &'static str, asserted: &'static str) -> Seen {
    Seen { from, asserted }
}

#[test]
fn the_account_can_hide_the_number_from_the_carrier() {
    let trunks = [
        ("sip", "gw", seen(NUMBER, NUMBER)),
        ("sip", "gwnorpid", seen(NUMBER, NOTHING)),
        ("sip", "gwfu", seen(ACCOUNT, NUMBER)),
        ("sip", "gwfunorpid", seen(ACCOUNT, NOTHING)),
        ("pjsip", "gw", seen(NUMBER, NUMBER)),
        ("pjsip", "gwnopai", seen(NUMBER, NOTHING)),
        ("pjsip", "gwnotrust", seen(NUMBER, NUMBER)),
        ("pjsip", "gwfu", seen(ACCOUNT, NUMBER)),
        ("pjsip", "gwfunopai", seen(ACCOUNT, NOTHING)),
    ];
    let service = Service::start();
    let host = service.host(Via::Agi);
    let lines = trunks.iter().zip(1..).map(|((trunk, peer, _), prefix)| {
        let words =
            format!("--peer {peer} --prefix {prefix} --trunk {trunk} --asterisk 16 --host {host}");
        printed(&if prefix == 1 {
            words
        } else {
            words + " --another"
        })
    });
    let mut rig = Rig::start(&lines.collect::<String>());
    for (place, (trunk, peer, expected)) in trunks.into_iter().enumerate() {
        rig.call_by(&(place + 1).to_string(), "13125552000");
        let invite = rig.seen(place + 1).pop().expect("a call");
        let is_ours = |shown: &str| shown.starts_with("312333");
        let word = |shown: &'_ str| {
            if is_ours(shown) {
                NUMBER.to_owned()
            } else {
                shown.to_owned()
            }
        };
        let shown = (word(&invite.from), word(&invite.asserted));
        let expected = (expected.from.to_owned(), expected.asserted.to_owned());
        assert_eq!(shown, expected, "{trunk} {peer}: {invite:?}");
    }
    for past in service.history() {
        assert!(past.result.is_some(), "each end is reported: {past:?}");
    }
}

//! Whatever a client says, in whatever order: the dialog ends in time, and says nothing but its own few commands.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::Instant;

use crate::asterisk::Channel;
use crate::engine::Rig;

/// What Asterisk says, and what it never says: put together in any order.
const CORPUS: [&str; 24] = [
    "HANGUP\n",
    "\n",
    "200 result=1\n",
    "200 result=0\n",
    "200 result=1 (SOLAR)\n",
    "200 result=1 (two\nlines)\n",
    "200 result=1 (\n",
    "200 result=1 (a)b) c\n",
    "200 result=-1\n",
    "200 result=\n",
    "100 Trying\n",
    "510 Invalid or unknown command\n",
    "511 Command Not Permitted on a dead channel\n",
    "520-Invalid command syntax.  Proper usage follows:\n",
    "520 End of proper usage.\n",
    "agi_network_script: call-result?reservation=0192f3c5-7b1e-7cc3-98c4-dc0c0c07398f\n",
    "agi_network_script: next-cid?to=%31&campaign=a%00&call=\n",
    "agi_extension: 911\n",
    "agi_calleridname: S11221530458600051\n",
    "agi_arg_1: to=12125550123\n",
    "agi_arg_99999999999999999999: x\n",
    "agi_arg_3: campaign=\u{feff}\u{202e}\r\n",
    "agi_",
    "GET / HTTP/1.1\r\n",
];

/// What a dialog may say, up to the value.
const COMMANDS: [&str; 15] = [
    "GET VARIABLE CAMPCUST",
    "GET VARIABLE CIDROT_RESERVATION",
    "GET VARIABLE DIALSTATUS",
    "GET VARIABLE ANSWEREDTIME",
    "GET VARIABLE DIALEDTIME",
    "GET VARIABLE HANGUPCAUSE",
    "GET VARIABLE HANGUPCAUSE_KEYS()",
    "GET VARIABLE \"HANGUPCAUSE(",
    "SET VARIABLE CIDROT_RESERVATION ",
    "SET VARIABLE CIDROT_RUNG ",
    "SET VARIABLE CIDROT_CALLER_ID 3125550100",
    "SET VARIABLE CALLERID(num) 3125550100",
    "SET VARIABLE CIDROT_STATUS ",
    "SET VARIABLE CIDROT_REPORT ",
    "GET VARIABLE HANGUPCAUSE(",
];

/// A part of what is said.
fn part() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => prop::sample::select(&CORPUS[..]).prop_map(|text| text.as_bytes().to_vec()),
        2 => Just(b"200 result=1\n".repeat(7)),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (any::<u8>(), 0_usize..9_000).prop_map(|(byte, count)| vec![byte; count]),
    ]
}

/// A request, mostly one that Asterisk could make, with some bytes of it changed.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let script = prop::sample::select(&["next-cid", "call-result", "next-cid?to=13125550123"][..]);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    let sound = prop::bool::weighted(0.7);
    (script, changes, sound).prop_map(|(script, changes, sound)| {
        let mut bytes = Channel::asks(script).request().into_bytes();
        for (place, byte) in changes.into_iter().filter(|_| !sound) {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

/// What the dialog says to a client that says all of `said` at once, and then waits.
async fn answer(said: &[u8]) -> Vec<u8> {
    let rig = Rig::that_commits().await;
    let (mut client, ours) = duplex(1 << 20);
    client.write_all(said).await.unwrap();
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let start = Instant::now();
    rig.agi.converse(ours, here, || {}).await;
    assert!(start.elapsed() <= rig.agi.deadline, "it ends in time");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    answer
}

fn is_known(line: &str) -> bool {
    !line.contains('\r') && COMMANDS.iter().any(|known| line.starts_with(known))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_said_the_dialog_ends_in_time_and_says_only_its_own_commands(
        request in request(),
        parts in prop::collection::vec(part(), 0..12),
    ) {
        let said = [request, parts.concat()].concat();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let answer = String::from_utf8(runtime.block_on(answer(&said))).expect("text");
        prop_assert!(answer.is_empty() || answer.ends_with('\n'));
        let lines: Vec<&str> = answer.lines().collect();
        prop_assert!(lines.iter().all(|line| is_known(line)), "{answer}");
        let set = |variable: &str| {
            let places = lines.iter().enumerate();
            let begins = format!("SET VARIABLE {variable} ");
            places.filter(|(_, line)| line.starts_with(&begins)).map(|(place, _)| place).collect::<Vec<_>>()
        };
        for variable in ["CALLERID(num)", "CIDROT_STATUS", "CIDROT_REPORT"] {
            prop_assert!(set(variable).len() <= 1, "{variable} is set once: {answer}");
        }
        // The word for how it went is the last one, and it is OK where a number was set, and nowhere else.
        let last = set("CIDROT_STATUS").into_iter().chain(set("CIDROT_REPORT")).next();
        prop_assert!(last.is_none_or(|place| place + 1 == lines.len()), "{answer}");
        if answer.contains("CIDROT_STATUS OK") {
            prop_assert_eq!(set("CALLERID(num)").len(), 1);
        }
        // A caller who is gone before the request is whole gets no number.
        let whole = said.windows(2).position(|two| two == b"\n\n").unwrap_or(said.len());
        if said[..whole].windows(8).any(|line| line == b"\nHANGUP\n") {
            prop_assert!(set("CALLERID(num)").is_empty(), "{answer}");
        }
    }
}

//! Explanations of what a request would get, with a million numbers in its pool.

use std::sync::atomic::{AtomicBool, Ordering};

use super::imports::{alone, compare, dial};
use super::pages::median;
use crate::client::Client;
use crate::contest::SETTINGS;
use crate::numbers::inventory;
use crate::place::{Kind, Place};

const NUMBERS: usize = 1_000_000;
const ROUNDS: usize = 5;
const ASKED: &str = "/api/v1/explain?to=13125551234&campaign=SOLAR&agent=1001";

/// Prints how long they take alone, and what calls notice of them.
pub(super) fn measure(kind: Kind) -> anyhow::Result<()> {
    let place = Place::new(kind)?;
    place
        .site
        .import(&place.site.csv(&inventory(NUMBERS))?, &["--mode", "db"])?;
    let server = place.site.serve(&SETTINGS)?;
    let mut client = Client::of(server.address)?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let answered = client.get(ASKED)?;
        if let Some(why) = answered.body["counts_left_out"].as_str() {
            println!("explain goes without some counts: {why}");
        }
        times.push(answered.ms);
    }
    println!(
        "explain over {NUMBERS} numbers of one pool: {:.0} ms (asked: about 1,000)",
        median(&times)
    );
    let before = alone(&server)?;
    let (goes_on, address) = (AtomicBool::new(true), server.address);
    let (beside, explained) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let (mut client, mut times) = (Client::of(address)?, Vec::new());
            while goes_on.load(Ordering::Relaxed) {
                times.push(client.get(ASKED)?.ms);
            }
            Ok::<_, anyhow::Error>(times)
        });
        let beside = alone(&server);
        goes_on.store(false, Ordering::Relaxed);
        let explained = asking.join().expect("asking does not panic");
        (beside, explained)
    });
    let after = dial(&server).run()?;
    let explained = explained?;
    println!(
        "explain in a loop beside calls: {:.0} ms, {} times",
        median(&explained),
        explained.len()
    );
    compare("explanations", &before, &beside?, &after);
    Ok(())
}

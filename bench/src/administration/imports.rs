//! Imports: how long they take, how much memory, and what calls notice of them.

use std::time::Duration;

use anyhow::ensure;

use crate::client::Client;
use crate::contest::SETTINGS;
use crate::load::{Load, Protocol, Report};
use crate::numbers::inventory;
use crate::place::{Kind, Place, csv};
use crate::server::{Server, TOKEN};
use crate::stopwatch::Stopwatch;

const FEW: usize = 20_000;
const MANY: usize = 1_000_000;
const ROUNDS: usize = 3;
/// How long calls are made alone, before and after.
const ALONE_SECONDS: f64 = 8.0;
/// Each of the dialers waits so long after each answer: some 2,000 calls a second in all.
const PAUSE: Duration = Duration::from_millis(4);
const DIALERS: usize = 8;

/// Small files, into a service with nothing in it.
pub(super) fn few(kind: Kind) -> anyhow::Result<()> {
    let numbers = inventory(FEW);
    let (mut by_request, mut by_command, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let place = Place::new(kind)?;
        let file = csv(&place.site, &numbers)?;
        let server = place.site.serve(&SETTINGS)?;
        let answered = Client::of(server.address)?.import(&file)?;
        ensure!(answered.body["added"] == FEW, "{}", answered.body);
        by_request.push(answered.ms / 1_000.0);
        bare.extend(copied(&place));
        let place = Place::new(kind)?;
        let file = csv(&place.site, &numbers)?;
        let server = place.site.serve(&SETTINGS)?;
        let url = format!("http://{}", server.address);
        let through = ["--api-url", &url, "--admin-token", TOKEN];
        by_command.push(place.site.import(&file, &through)?);
    }
    println!(
        "import of {FEW}: {:.2} s in one request, {:.2} s by `caller-id import` through the API (asked: 1 s); medians of {ROUNDS}",
        super::pages::median(&by_request),
        super::pages::median(&by_command)
    );
    if !bare.is_empty() {
        let bare = super::pages::median(&bare);
        println!(
            "  PostgreSQL copies the same rows from table to table, in as many transactions, in {bare:.2} s: the request took {:.1} times as long",
            super::pages::median(&by_request) / bare
        );
    }
    Ok(())
}

/// How many seconds PostgreSQL by itself takes for the rows of an import: they are there already, nobody sends them, reads them or
/// asks whether they are new. None without PostgreSQL.
fn copied(place: &Place) -> Option<f64> {
    const BATCH: usize = 2_000;
    place.psql(
        "CREATE TABLE public.numbers (LIKE caller_id.numbers INCLUDING ALL);
        ALTER TABLE public.numbers ADD FOREIGN KEY (pool) REFERENCES caller_id.pools (id)",
    )?;
    let batch = |first| {
        format!(
            "BEGIN; INSERT INTO public.numbers SELECT * FROM caller_id.numbers ORDER BY number LIMIT {BATCH} OFFSET {first}; COMMIT;"
        )
    };
    let batches: String = (0..FEW).step_by(BATCH).map(batch).collect();
    let watch = Stopwatch::start();
    place.psql(&batches)?;
    Some(watch.seconds())
}

/// A large file, straight into the empty database.
pub(super) fn many_by_db(place: &Place) -> anyhow::Result<()> {
    let file = csv(&place.site, &inventory(MANY))?;
    let (seconds, mb) = place.site.import_watched(&file, &["--mode", "db"])?;
    println!("import of {MANY} with --mode db: {seconds:.1} s (asked: 30 s), at most {mb:.0} MB");
    Ok(())
}

/// A large file in one request, and another by the database, beside calls.
pub(super) fn beside_calls(kind: Kind) -> anyhow::Result<()> {
    for by_db in [false, true] {
        let place = Place::new(kind)?;
        let site = &place.site;
        site.import(&site.csv(&inventory(FEW))?, &["--mode", "db"])?;
        let file = site.csv(&inventory(MANY))?;
        let server = site.serve(&SETTINGS)?;
        let rest_mb = server.memory_mb()?;
        let before = alone(&server)?;
        let watch = Stopwatch::start();
        let (done, beside) = dial(&server).run_while(|| match by_db {
            true => site.import(&file, &["--mode", "db"]).map(drop),
            false => Client::of(server.address)?.import(&file).map(drop),
        })?;
        done?;
        let seconds = watch.seconds();
        let peak_mb = server.peak_mb()?;
        let after = alone(&server)?;
        let way = if by_db {
            "with --mode db"
        } else {
            "in one request"
        };
        println!(
            "import of {MANY} {way} beside {:.0} calls a second: {seconds:.1} s (asked: 30 s); the service had {rest_mb:.0} MB before, \
             at most {peak_mb:.0} meanwhile",
            beside.rate
        );
        compare("that import", &before, &beside, &after);
    }
    Ok(())
}

/// Calls, so many a second that the machine has time left.
pub(super) fn dial(server: &Server) -> Load {
    Load {
        protocol: Protocol::Http,
        address: server.address,
        connections: DIALERS,
        threads: 1,
        seconds: ALONE_SECONDS,
        pause: PAUSE,
    }
}

pub(super) fn alone(server: &Server) -> anyhow::Result<Report> {
    dial(server).run()
}

/// Prints how long allocations took beside `what`, against when there was nothing else.
pub(super) fn compare(what: &str, before: &Report, beside: &Report, after: &Report) {
    for (when, report) in [
        ("alone", before),
        ("beside", beside),
        ("alone again", after),
    ] {
        let [half, most, nearly_all] = [0.5, 0.99, 0.999].map(|share| report.percentile_ms(share));
        println!(
            "  {when:>11}: p50 {half:.2} ms, p99 {most:.2} ms, p99.9 {nearly_all:.2} ms, {} refused",
            report.refused
        );
    }
    let alone = before.percentile_ms(0.99).max(after.percentile_ms(0.99));
    println!(
        "  p99 {:.2} times as long beside {what} (asked: at most 2)",
        beside.percentile_ms(0.99) / alone
    );
}

//! Dashboards that stay open, and what calls notice of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use crate::administration::median;
use crate::client::Client;
use crate::load::{Load, Protocol, Report, connect};
use crate::server::Server;

const DASHBOARDS: u64 = 50;
/// So many of them are one session's: the service keeps no more of one up to date.
const OF_SESSION: usize = 5;
const ROUNDS: usize = 9;
const SECONDS: f64 = 3.0;
/// They are opened one after the other in this time, not all in the same moment.
const OPENED_IN_MS: u64 = 2_000;
/// How much longer the p99 of allocations may be.
const ASKED: f64 = 1.2;

/// How a page is kept up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By events that the service sends.
    Followed(&'static str),
    /// It is asked for again after so many seconds.
    Again(&'static str, u64),
}

/// What people have open, each way by so many of them.
type Mixture = (&'static str, &'static [(Way, u64)]);

const OVERVIEWS: Mixture = (
    "overviews",
    &[(Way::Followed("/dashboard/live"), DASHBOARDS)],
);
/// Each page that keeps itself up to date.
const ALL_KINDS: Mixture = (
    "dashboards (30 overviews, 10 pools, 5 requests, 5 reservations)",
    &[
        (Way::Followed("/dashboard/live"), 30),
        (Way::Again("/dashboard/pools?part=live", 5), 10),
        (Way::Again("/dashboard/requests", 2), 5),
        (Way::Again("/dashboard/reservations", 6), 5),
    ],
);

/// Prints the p99 and the rate of allocations beside open dashboards against those alone, in turn.
pub(super) fn measure(server: &Server) -> anyhow::Result<()> {
    let paced = Load {
        protocol: Protocol::Http,
        address: server.address,
        connections: 8,
        threads: 1,
        seconds: SECONDS,
        pause: Duration::from_micros(3_500),
    };
    let saturated = Load {
        connections: 32,
        pause: Duration::ZERO,
        ..paced
    };
    compare(server, "about 2,000 a second", paced, OVERVIEWS)?;
    compare(server, "about 2,000 a second", paced, ALL_KINDS)?;
    compare(server, "as many as it can", saturated, OVERVIEWS)
}

/// What was seen in a round.
struct Round {
    report: Report,
    /// Processor time of the service a second.
    spent: f64,
    /// Bytes that dashboards got a second.
    bytes: f64,
}

fn compare(server: &Server, rate: &str, load: Load, mixture: Mixture) -> anyhow::Result<()> {
    let (name, ways) = mixture;
    let sessions = (DASHBOARDS as usize).div_ceil(OF_SESSION);
    let who = (0..sessions)
        .map(|_| Ok(Client::signed_in(server.address)?.who().to_owned()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let alone = round(server, load, None)?;
        let opened = Opened::start(server.address, &who, ways)?;
        let beside = round(server, load, Some(&opened))?;
        opened.close()?;
        rounds.push((alone, beside));
    }
    let of = |figure: &dyn Fn(&(Round, Round)) -> f64| {
        median(&rounds.iter().map(figure).collect::<Vec<_>>())
    };
    println!(
        "calls, {rate}, alone and beside {DASHBOARDS} open {name}; medians of {ROUNDS} rounds:"
    );
    for (when, which) in [("alone", 0), ("beside", 1)] {
        let seen = |round: &(Round, Round), figure: &dyn Fn(&Round) -> f64| {
            figure(if which == 0 { &round.0 } else { &round.1 })
        };
        let share =
            |share: f64| of(&|round| seen(round, &|one: &Round| one.report.percentile_ms(share)));
        println!(
            "  {when:>6}: {:>7.0}/s   p50 {:.2} ms   p99 {:.2} ms   p99.9 {:.2} ms   service {:.2} cores   dashboards {:.0} KB/s",
            of(&|round| seen(round, &|one| one.report.rate)),
            share(0.5),
            share(0.99),
            share(0.999),
            of(&|round| seen(round, &|one| one.spent)),
            of(&|round| seen(round, &|one| one.bytes / 1_000.0)),
        );
    }
    let p99 = |round: &(Round, Round)| {
        round.1.report.percentile_ms(0.99) / round.0.report.percentile_ms(0.99)
    };
    let each: Vec<String> = rounds
        .iter()
        .map(|round| format!("{:.2}", p99(round)))
        .collect();
    let of_medians = of(&|round| round.1.report.percentile_ms(0.99))
        / of(&|round| round.0.report.percentile_ms(0.99));
    println!(
        "  p99 {of_medians:.2} times as long, by the medians (asked: at most {ASKED}); by rounds {:.2}: {}",
        of(&p99),
        each.join(" "),
    );
    println!(
        "  {:.2} times as many calls; one dashboard costs {:.2} ms of a processor a second",
        of(&|round| round.1.report.rate / round.0.report.rate),
        of(&|round| (round.1.spent - round.0.spent) * 1_000.0 / DASHBOARDS as f64),
    );
    Ok(())
}

fn round(server: &Server, load: Load, opened: Option<&Opened>) -> anyhow::Result<Round> {
    let bytes = || opened.map_or(0, |opened| opened.bytes.load(Ordering::Relaxed));
    let time = Duration::from_secs_f64(SECONDS);
    let (seen, report) = load.run_while(|| {
        let (spent, got) = (server.cpu_seconds(), bytes());
        std::thread::sleep(time);
        anyhow::Ok((server.cpu_seconds()? - spent?, bytes() - got))
    })?;
    let (spent, got) = seen?;
    Ok(Round {
        report,
        spent: spent / SECONDS,
        bytes: got as f64 / SECONDS,
    })
}

/// Dashboards that are open, on a thread of their own.
struct Opened {
    stop: watch::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
    /// What they got so far.
    bytes: Arc<AtomicU64>,
}

impl Opened {
    /// Opens them, and waits until all are.
    fn start(
        address: SocketAddr,
        who: &[String],
        ways: &'static [(Way, u64)],
    ) -> anyhow::Result<Self> {
        let (stop, stopped) = watch::channel(());
        let bytes = Arc::new(AtomicU64::new(0));
        let (got, who) = (bytes.clone(), who.to_vec());
        let thread = std::thread::spawn(move || look(address, &who, ways, stopped, &got));
        std::thread::sleep(Duration::from_millis(OPENED_IN_MS + 500));
        Ok(Self {
            stop,
            thread,
            bytes,
        })
    }

    /// Closes them. One that ended by itself is an error.
    fn close(self) -> anyhow::Result<()> {
        drop(self.stop);
        let ended = self.thread.join();
        ended.ok().context("a dashboard panicked")?
    }
}

fn look(
    address: SocketAddr,
    who: &[String],
    ways: &'static [(Way, u64)],
    mut stopped: watch::Receiver<()>,
    got: &Arc<AtomicU64>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut all = tokio::task::JoinSet::new();
        let each = ways
            .iter()
            .flat_map(|(way, many)| (0..*many).map(move |_| *way));
        for (place, way) in each.enumerate() {
            let dashboard = Dashboard {
                address,
                who: who[place / OF_SESSION].clone(),
                got: Arc::clone(got),
            };
            let wait = Duration::from_millis(place as u64 * OPENED_IN_MS / DASHBOARDS);
            all.spawn(async move {
                tokio::time::sleep(wait).await;
                dashboard.keep(way).await
            });
        }
        tokio::select! {
            // An error is the end of whoever could say so.
            _ = stopped.changed() => Ok(()),
            Some(ended) = all.join_next() => ended?.context("a dashboard ended"),
        }
    })
}

/// One of them.
struct Dashboard {
    address: SocketAddr,
    who: String,
    got: Arc<AtomicU64>,
}

impl Dashboard {
    async fn keep(self, way: Way) -> anyhow::Result<()> {
        let mut stream = connect(self.address).await?;
        let (path, more) = match way {
            Way::Followed(path) => (path, ""),
            Way::Again(path, _) => (path, "HX-Request: true\r\n"),
        };
        let who = &self.who;
        let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n{who}\r\n{more}\r\n");
        let mut some = vec![0; 64 * 1_024];
        stream.write_all(request.as_bytes()).await?;
        let mut again = match way {
            Way::Followed(_) => None,
            Way::Again(_, seconds) => {
                let every = Duration::from_secs(seconds);
                let first = tokio::time::Instant::now() + every;
                Some(tokio::time::interval_at(first, every))
            }
        };
        let mut is_first = true;
        loop {
            let asks = async {
                match &mut again {
                    Some(again) => again.tick().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = asks => stream.write_all(request.as_bytes()).await?,
                read = stream.read(&mut some) => {
                    let read = read?;
                    let text = &some[..read];
                    anyhow::ensure!(read > 0, "{path}: the connection was closed");
                    anyhow::ensure!(
                        !is_first || text.starts_with(b"HTTP/1.1 200"),
                        "{path}: {}",
                        String::from_utf8_lossy(&text[..read.min(300)])
                    );
                    is_first = false;
                    self.got.fetch_add(read as u64, Ordering::Relaxed);
                }
            }
        }
    }
}

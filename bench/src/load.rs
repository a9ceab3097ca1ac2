//! A load generator: connections that each ask, read the answer, and ask again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::channel;
use crate::stopwatch::Stopwatch;

/// How to load a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) protocol: Protocol,
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) threads: usize,
    pub(crate) seconds: f64,
    /// Each connection waits so long after each answer.
    pub(crate) pause: Duration,
}

/// How a server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Requests on connections that are kept.
    Http,
    /// A connection for each call, as Asterisk does it.
    Agi,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Report {
    /// Answers with status 200 a second.
    pub(crate) rate: f64,
    /// Microseconds from request to answer, sorted.
    latencies: Vec<u32>,
    /// Answers with another status.
    pub(crate) refused: usize,
    /// All answers, those that are not counted otherwise too.
    pub(crate) asked: usize,
}

impl Report {
    /// The latency that this share of the requests did not pass, in milliseconds.
    pub(crate) fn percentile_ms(&self, share: f64) -> f64 {
        let place = (self.latencies.len() as f64 * share) as usize;
        self.latencies
            .get(place.min(self.latencies.len().saturating_sub(1)))
            .map_or(0.0, |us| f64::from(*us) / 1_000.0)
    }
}

#[derive(Default)]
struct Tally {
    latencies: Vec<u32>,
    refused: usize,
    asked: usize,
}

impl Load {
    /// Loads the server for the time, after a moment that is not counted.
    pub(crate) fn run(self) -> anyhow::Result<Report> {
        let time = Duration::from_secs_f64(self.seconds);
        Ok(self.run_while(|| std::thread::sleep(time))?.1)
    }

    /// Loads the server for as long as something else takes, after a moment that is not counted.
    pub(crate) fn run_while<T>(self, work: impl FnOnce() -> T) -> anyhow::Result<(T, Report)> {
        let (counting, stop) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicBool::new(false)),
        );
        let workers: Vec<_> = (0..self.threads)
            .map(|thread| {
                let (counting, stop) = (counting.clone(), stop.clone());
                std::thread::spawn(move || self.work(thread, &counting, &stop))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(300));
        counting.store(true, Ordering::Relaxed);
        let watch = Stopwatch::start();
        let done = work();
        stop.store(true, Ordering::Relaxed);
        let seconds = watch.seconds();
        let (mut latencies, mut refused, mut asked) = (Vec::new(), 0, 0);
        for worker in workers {
            let tally = worker.join().ok().context("a load thread panicked")??;
            latencies.extend(tally.latencies);
            refused += tally.refused;
            asked += tally.asked;
        }
        latencies.sort_unstable();
        let report = Report {
            rate: latencies.len() as f64 / seconds,
            latencies,
            refused,
            asked,
        };
        Ok((done, report))
    }

    fn work(
        self,
        thread: usize,
        counting: &Arc<AtomicBool>,
        stop: &Arc<AtomicBool>,
    ) -> anyhow::Result<Tally> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for connection in (thread..self.connections).step_by(self.threads) {
                let (counting, stop) = (counting.clone(), stop.clone());
                tasks.spawn(
                    async move { self.connection(connection as u64, &counting, &stop).await },
                );
            }
            let mut total = Tally::default();
            while let Some(tally) = tasks.join_next().await {
                let tally = tally??;
                total.latencies.extend(tally.latencies);
                total.refused += tally.refused;
                total.asked += tally.asked;
            }
            Ok(total)
        })
    }

    async fn connection(
        self,
        seed: u64,
        counting: &AtomicBool,
        stop: &AtomicBool,
    ) -> anyhow::Result<Tally> {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut kept = match self.protocol {
            Protocol::Http => Some(connect(self.address).await?),
            Protocol::Agi => None,
        };
        let mut answer = Answer::default();
        let mut tally = Tally::default();
        while !stop.load(Ordering::Relaxed) {
            let watch = Stopwatch::start();
            let ok = match &mut kept {
                Some(stream) => {
                    stream.write_all(request(&mut random).as_bytes()).await?;
                    answer.read(stream).await?
                }
                None => channel::call(self.address, &mut random).await?,
            };
            tally.asked += 1;
            if counting.load(Ordering::Relaxed) {
                if ok {
                    tally.latencies.push(watch.micros() as u32);
                } else {
                    tally.refused += 1;
                }
            }
            if !self.pause.is_zero() {
                tokio::time::sleep(self.pause).await;
            }
        }
        Ok(tally)
    }
}

/// A connection whose small writes go out at once.
pub(crate) async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn request(random: &mut SmallRng) -> String {
    let (area, line) = (
        random.random_range(2..=9) * 100 + random.random_range(12..=99),
        random.random_range(2_000_000..9_999_999),
    );
    let (agent, campaign) = (
        random.random_range(1_000..1_500),
        random.random_range(0..20),
    );
    format!(
        "GET /next-cid?to=1{area}{line}&campaign=CAMP{campaign}&agent={agent} HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n"
    )
}

/// Reads one answer after the other from a connection that is kept.
#[derive(Default)]
struct Answer {
    buffer: Vec<u8>,
}

impl Answer {
    /// Reads an answer to its end; tells whether its status was 200.
    async fn read(&mut self, stream: &mut TcpStream) -> anyhow::Result<bool> {
        self.buffer.clear();
        loop {
            if stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            let Some(head) = find(&self.buffer, b"\r\n\r\n") else {
                continue;
            };
            if self.buffer.len() >= head + 4 + content_length(&self.buffer[..head])? {
                return Ok(self.buffer.starts_with(b"HTTP/1.1 200"));
            }
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    let name = b"content-length: ";
    let at = find(head, name).context("an answer without content-length")? + name.len();
    let digits: String = head[at..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .map(|byte| char::from(*byte))
        .collect();
    Ok(digits.parse()?)
}

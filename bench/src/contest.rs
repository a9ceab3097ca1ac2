//! The service against a bare server with the same answers, in the same run.

use std::net::SocketAddr;

use crate::load::{Load, Protocol, Report};
use crate::server::Server;

const ROUNDS: usize = 9;
const SECONDS: f64 = 1.5;

/// Every request gets a number: many calls may hold one at the same time, and shortly.
pub(crate) const SETTINGS: [(&str, &str); 4] = [
    ("RESERVATION_TTL_SECONDS", "1"),
    ("CALLER_ID_COOLDOWN_SECONDS", "0"),
    ("MOST_RESERVATIONS_PER_NUMBER", "1000"),
    ("AGENT_RATE_LIMIT_PER_MIN", "1000000"),
];

/// A server, and where it is asked.
#[derive(Clone, Copy)]
pub(crate) struct Contestant<'a> {
    pub(crate) name: &'static str,
    pub(crate) server: &'a Server,
    pub(crate) address: SocketAddr,
}

/// Who is compared with whom.
pub(crate) struct Contest<'a> {
    pub(crate) bare: Contestant<'a>,
    pub(crate) service: Contestant<'a>,
    pub(crate) protocol: Protocol,
    /// What the ratio should be.
    pub(crate) asked: &'static str,
}

impl Contest<'_> {
    /// Measures in turn, in many short rounds, so that both see the same noise; prints the ratio of each round's pair. A load
    /// is so many connections at the same time, by so many threads.
    pub(crate) fn run(&self, loads: &[(usize, usize)]) -> anyhow::Result<()> {
        let cores = std::thread::available_parallelism()?;
        println!("{cores} cores, shared by the server and its load");
        for (connections, threads) in loads.iter().copied() {
            self.compare(connections, threads)?;
        }
        Ok(())
    }

    fn compare(&self, connections: usize, threads: usize) -> anyhow::Result<()> {
        let load = |contestant: Contestant<'_>| {
            Load {
                protocol: self.protocol,
                address: contestant.address,
                connections,
                threads,
                seconds: SECONDS,
                pause: std::time::Duration::ZERO,
            }
            .run()
        };
        let (bare, service) = (self.bare, self.service);
        let (cpu_bare, cpu_service) = (bare.server.cpu_seconds()?, service.server.cpu_seconds()?);
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push((load(bare)?, load(service)?));
        }
        let (bare_reports, reports): (Vec<&Report>, Vec<&Report>) =
            rounds.iter().map(|(bare, service)| (bare, service)).unzip();
        println!("{connections} connections, {threads} load threads, medians of {ROUNDS} rounds:");
        print(bare.name, &bare_reports);
        print(service.name, &reports);
        println!(
            "processor time a request: {} {:.1} us, {} {:.1} us",
            bare.name,
            bare.spent_us(cpu_bare, &bare_reports)?,
            service.name,
            service.spent_us(cpu_service, &reports)?
        );
        let ratios: Vec<f64> = rounds
            .iter()
            .map(|(bare, ours)| ours.rate / bare.rate)
            .collect();
        let shown: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
        let median = median(ratios);
        println!("ratio of each round: {}", shown.join(" "));
        println!("median ratio {median:.2} ({})\n", self.asked);
        Ok(())
    }
}

impl Contestant<'_> {
    /// Processor time of one request, in microseconds.
    fn spent_us(&self, before: f64, reports: &[&Report]) -> anyhow::Result<f64> {
        let asked: f64 = reports.iter().map(|report| report.asked as f64).sum();
        Ok((self.server.cpu_seconds()? - before) * 1e6 / asked)
    }
}

fn print(name: &str, reports: &[&Report]) {
    let of = |figure: &dyn Fn(&Report) -> f64| {
        median(reports.iter().map(|report| figure(report)).collect())
    };
    let refused: usize = reports.iter().map(|report| report.refused).sum();
    println!(
        "{name:>12}: {:>7.0}/s   p50 {:.2} ms   p99 {:.2} ms   p99.9 {:.2} ms   not good: {refused}",
        of(&|report| report.rate),
        of(&|report| report.percentile_ms(0.5)),
        of(&|report| report.percentile_ms(0.99)),
        of(&|report| report.percentile_ms(0.999)),
    );
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

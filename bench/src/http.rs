//! `GET /next-cid`, answered only after the commit, against a bare axum handler that answers the same text.
//!
//! The load runs beside the server. On a machine with few cores they share them, so both rates hold the cost of the load,
//! too; with cores to spare, one load thread may be what limits both.

use std::process::Command;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::RedisServer;

use crate::load::{Load, Report};
use crate::numbers::inventory;
use crate::server::{Server, Site, free_address};

const NUMBERS: usize = 20_000;
const ROUNDS: usize = 9;
const SECONDS: f64 = 1.5;

/// Every request gets a number: many calls may hold one at the same time, and shortly.
const SETTINGS: [(&str, &str); 4] = [
    ("RESERVATION_TTL_SECONDS", "1"),
    ("CALLER_ID_COOLDOWN_SECONDS", "0"),
    ("MOST_RESERVATIONS_PER_NUMBER", "1000"),
    ("AGENT_RATE_LIMIT_PER_MIN", "1000000"),
];

/// A call like those of the load.
const ONE_CALL: &str = "/next-cid?to=13125551234&campaign=SOLAR&agent=1001";

/// Answers `BARE_ANSWER` on the port in `BARE_PORT` until it is ended.
pub(crate) fn serve_bare() -> anyhow::Result<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the parent process says what to do"
    )]
    let told = |name: &'static str| std::env::var(name).context(name);
    let port: u16 = told("BARE_PORT")?.parse()?;
    let text = Bytes::from(told("BARE_ANSWER")?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let answer = async move || ([(CONTENT_TYPE, "application/json")], text.clone());
        let router = Router::new().route("/next-cid", get(answer));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        axum::serve(listener, router).await.context("serving")
    })
}

/// A handler that answers what the service has answered once, and nothing else.
fn bare(service: &Server) -> anyhow::Result<Server> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("bare")
        .env("BARE_PORT", address.port().to_string())
        .env("BARE_ANSWER", service.body(ONE_CALL)?);
    Server::spawn(command, address, "/next-cid")
}

/// Alone: the hot state in the process, history in a file.
pub(crate) fn run() -> anyhow::Result<()> {
    println!(
        "## GET /next-cid, {NUMBERS} numbers, answered after the commit, against a bare handler"
    );
    let site = Site::new()?;
    site.import(&site.csv(&inventory(NUMBERS))?, &["--mode", "db"])?;
    let service = site.serve(&SETTINGS)?;
    compare(
        &service,
        &[(32, 1), (32, 2), (128, 2)],
        "asked at 32 connections: at least 0.70; p99 at most 5 ms",
    )
}

/// One node of a cluster: the hot state in Redis, history in PostgreSQL, both on this machine, too.
pub(crate) fn run_cluster() -> anyhow::Result<()> {
    println!(
        "## GET /next-cid on Redis and PostgreSQL, one node, {NUMBERS} numbers, against a bare handler"
    );
    let (redis, postgres) = (RedisServer::start(), Postgres::start());
    let mut site = Site::new()?;
    site.set("DATABASE_URL", &postgres.url(&postgres.database()));
    site.import(&site.csv(&inventory(NUMBERS))?, &["--mode", "db"])?;
    site.set("REDIS_URL", &redis.url());
    let service = site.serve(&SETTINGS)?;
    compare(
        &service,
        &[(64, 1), (64, 2)],
        "asked at 64 connections: at least 0.35; p99 at most 15 ms",
    )
}

/// Measures in turn, in many short rounds, so that both see the same noise; prints the ratio of each round's pair.
fn compare(service: &Server, loads: &[(usize, usize)], asked: &str) -> anyhow::Result<()> {
    let bare = bare(service)?;
    let cores = std::thread::available_parallelism()?;
    println!("{cores} cores, shared by the server and its load");
    for (connections, threads) in loads.iter().copied() {
        let load = |server: &Server| {
            let address = server.address;
            let seconds = SECONDS;
            Load {
                address,
                connections,
                threads,
                seconds,
            }
            .run()
        };
        let mut rounds = Vec::new();
        let (cpu_bare, cpu_service) = (bare.cpu_seconds()?, service.cpu_seconds()?);
        for _ in 0..ROUNDS {
            rounds.push((load(&bare)?, load(service)?));
        }
        let (bare_reports, reports): (Vec<&Report>, Vec<&Report>) =
            rounds.iter().map(|(bare, service)| (bare, service)).unzip();
        println!("{connections} connections, {threads} load threads, medians of {ROUNDS} rounds:");
        print("bare handler", &bare_reports);
        print("/next-cid", &reports);
        let spent = |server: &Server, before: f64, reports: &[&Report]| -> anyhow::Result<f64> {
            let asked: f64 = reports.iter().map(|report| report.asked as f64).sum();
            Ok((server.cpu_seconds()? - before) * 1e6 / asked)
        };
        println!(
            "processor time a request: bare handler {:.1} us, /next-cid {:.1} us",
            spent(&bare, cpu_bare, &bare_reports)?,
            spent(service, cpu_service, &reports)?
        );
        let ratios: Vec<f64> = rounds
            .iter()
            .map(|(bare, ours)| ours.rate / bare.rate)
            .collect();
        let shown: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
        let median = median(ratios);
        println!("ratio of each round: {}", shown.join(" "));
        println!("median ratio {median:.2} ({asked})\n");
    }
    Ok(())
}

fn print(name: &str, reports: &[&Report]) {
    let of = |figure: &dyn Fn(&Report) -> f64| {
        median(reports.iter().map(|report| figure(report)).collect())
    };
    let refused: usize = reports.iter().map(|report| report.refused).sum();
    println!(
        "{name:>12}: {:>7.0}/s   p50 {:.2} ms   p99 {:.2} ms   p99.9 {:.2} ms   not 200: {refused}",
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

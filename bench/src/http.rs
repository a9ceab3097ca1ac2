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

use crate::contest::{Contest, Contestant, SETTINGS};
use crate::load::Protocol;
use crate::numbers::inventory;
use crate::server::{Server, Site, free_address};

const NUMBERS: usize = 20_000;
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

fn compare(service: &Server, loads: &[(usize, usize)], asked: &'static str) -> anyhow::Result<()> {
    let bare = bare(service)?;
    Contest {
        bare: Contestant {
            name: "bare handler",
            server: &bare,
            address: bare.address,
        },
        service: Contestant {
            name: "/next-cid",
            server: service,
            address: service.address,
        },
        protocol: Protocol::Http,
        asked,
    }
    .run(loads)
}

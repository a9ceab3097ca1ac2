//! FastAGI allocations, one connection a call as Asterisk makes them, against a bare server that has the same dialog with constants.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::Context;
use caller_id_core::PhoneNumber;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::contest::{Contest, Contestant, SETTINGS};
use crate::load::Protocol;
use crate::numbers::inventory;
use crate::server::{Server, Site, free_address};

const NUMBERS: usize = 20_000;

/// What the bare server says in every dialog: as many commands as the service, of the same length.
const CONSTANT: [&[u8]; 6] = [
    b"GET VARIABLE CAMPCUST\n",
    b"SET VARIABLE CIDROT_RESERVATION 019ad4f0-9a00-7000-8000-000000000000\n",
    b"SET VARIABLE CIDROT_RUNG area_code\n",
    b"SET VARIABLE CIDROT_CALLER_ID 3125550100\n",
    b"SET VARIABLE CALLERID(num) 3125550100\n",
    b"SET VARIABLE CIDROT_STATUS OK\n",
];

/// Answers Asterisk with constants on the port in `BARE_PORT` until it is ended.
pub(crate) fn serve_bare() -> anyhow::Result<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the parent process says what to do"
    )]
    let port: u16 = std::env::var("BARE_PORT").context("BARE_PORT")?.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            // One that breaks off is the other side's affair.
            tokio::spawn(async move { talk(stream).await.is_ok() });
        }
    })
}

async fn talk(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut heard = Vec::with_capacity(2_048);
    while !heard.ends_with(b"\n\n") {
        if stream.read_buf(&mut heard).await? == 0 {
            return Ok(());
        }
    }
    for command in CONSTANT {
        stream.write_all(command).await?;
        heard.clear();
        while !heard.ends_with(b"\n") {
            if stream.read_buf(&mut heard).await? == 0 {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn bare() -> anyhow::Result<(Server, SocketAddr)> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("bare-agi")
        .env("BARE_PORT", address.port().to_string());
    let listens = |address| std::net::TcpStream::connect(address).is_ok();
    Ok((Server::spawn_until(command, address, listens)?, address))
}

/// Measures both in turn, and prints the ratio.
pub(crate) fn run() -> anyhow::Result<()> {
    println!(
        "## FastAGI, {NUMBERS} numbers, one connection a call, answered after the commit, against a bare FastAGI server"
    );
    let site = Site::new()?;
    let numbers: Vec<PhoneNumber> = inventory(NUMBERS);
    site.import(&site.csv(&numbers)?, &["--mode", "db"])?;
    let address = free_address()?;
    let listen = address.to_string();
    let settings = [&SETTINGS[..], &[("AGI_LISTEN", listen.as_str())]].concat();
    let service = site.serve(&settings)?;
    let (bare, bare_address) = bare()?;
    Contest {
        bare: Contestant {
            name: "bare FastAGI",
            server: &bare,
            address: bare_address,
        },
        service: Contestant {
            name: "next-cid",
            server: &service,
            address,
        },
        protocol: Protocol::Agi,
        asked: "asked: at least 0.70",
    }
    .run(&[(32, 1), (32, 2), (128, 2)])
}

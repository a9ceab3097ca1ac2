//! People beside the calls: dashboards that stay open, imports and exports now and then, and clients that are slow on purpose.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::ensure;

use super::field::{Doors, Field};
use super::stock;
use crate::client::Client;

/// So long somebody waits for an answer or an event; an event comes each second.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(500);
/// What the office does in turn, between the imports.
const LOOKS: [&str; 4] = [
    "GET /api/v1/overview",
    "GET /api/v1/allocations?limit=50",
    "GET /api/v1/numbers?pool=busy&limit=100",
    "GET /metrics",
];
const EXPORT: &str = "GET /api/v1/numbers/export HTTP/1.1\r\nHost: bench";
/// Slow clients of each kind on each service.
const SLOW: usize = 40;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Bytes of events.
    pub(super) events: AtomicUsize,
    pub(super) imports: AtomicUsize,
    pub(super) exports: AtomicUsize,
    pub(super) looks: AtomicUsize,
    /// What was not answered, or not with 200: while something is broken that may be.
    pub(super) failed: AtomicUsize,
}

/// Keeps a dashboard open on a service until it is over, and opens it again where it ends.
pub(super) fn look_on(field: &Field, service: usize, done: &Done) {
    while !field.is_over() {
        let Some(doors) = field.doors(service) else {
            std::thread::sleep(PAUSE);
            continue;
        };
        // Whoever is cut off comes again.
        let _ = follow(field, doors.http, done);
        std::thread::sleep(PAUSE);
    }
}

fn follow(field: &Field, address: SocketAddr, done: &Done) -> anyhow::Result<()> {
    let who = Client::signed_in_within(address, PATIENCE)?
        .who()
        .to_owned();
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /dashboard/live HTTP/1.1\r\nHost: bench\r\n{who}\r\n\r\n"
    )?;
    let mut some = vec![0; 64 * 1_024];
    while !field.is_over() {
        let read = stream.read(&mut some)?;
        ensure!(read > 0, "closed");
        done.events.fetch_add(read, Ordering::Relaxed);
    }
    Ok(())
}

/// Imports, exports and looks at a service in turn until it is over.
pub(super) fn work_on(field: &Field, service: usize, done: &Done) {
    for turn in 0.. {
        if field.is_over() {
            return;
        }
        let doors = field.doors(service);
        let worked = doors.is_some_and(|doors| work(doors.http, turn, done).is_ok());
        if !worked {
            done.failed.fetch_add(1, Ordering::Relaxed);
        }
        std::thread::sleep(PAUSE);
    }
}

fn work(address: SocketAddr, turn: usize, done: &Done) -> anyhow::Result<()> {
    let mut client = Client::within(address, PATIENCE)?;
    let (counted, line, body) = match turn % (LOOKS.len() + 1) {
        0 => {
            let line = "POST /api/v1/numbers/import";
            (&done.imports, line, stock::spare(turn))
        }
        place => {
            let counted = if place == 1 {
                &done.exports
            } else {
                &done.looks
            };
            (counted, LOOKS[place - 1], String::new())
        }
    };
    let (status, answer) = client.status_of(line, &body)?;
    ensure!(status == 200, "{line}: {status} {answer}");
    counted.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Clients that ask half a question, or take no answer; they let go when this is dropped.
pub(super) struct SlowClients(Vec<TcpStream>);

impl SlowClients {
    /// Opens them on a service.
    pub(super) fn on(doors: Doors, who: &str) -> Self {
        let export = format!("{EXPORT}\r\n{who}\r\n\r\n");
        let kinds: [(SocketAddr, &str); 5] = [
            (doors.http, ""),
            (doors.http, "GET /next-cid?to=1312"),
            (
                doors.http,
                "POST /call-result HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
            ),
            (doors.http, &export),
            (doors.agi, "agi_network: yes\nagi_network_script: next-"),
        ];
        let each = kinds
            .iter()
            .flat_map(|kind| std::iter::repeat_n(kind, SLOW));
        // Who is refused a connection is none.
        let open = each.filter_map(|(address, said)| {
            let mut stream = TcpStream::connect_timeout(address, PATIENCE).ok()?;
            stream.write_all(said.as_bytes()).ok()?;
            Some(stream)
        });
        Self(open.collect())
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

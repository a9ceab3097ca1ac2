//! A person's requests to the API, one after the other on one connection.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::server::TOKEN;
use crate::stopwatch::Stopwatch;

/// Longer than anything that is measured here.
const PATIENCE: Duration = Duration::from_secs(300);

/// A connection that is kept.
pub(super) struct Client {
    stream: TcpStream,
    /// What of the next answer came with the last one.
    ahead: Vec<u8>,
}

/// What was answered, and when its last byte was there.
pub(super) struct Answered {
    pub(super) body: Value,
    pub(super) ms: f64,
}

impl Client {
    /// To the service.
    pub(super) fn of(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            ahead: Vec::new(),
        })
    }

    /// What it answers to `GET path`, which must be 200.
    pub(super) fn get(&mut self, path: &str) -> anyhow::Result<Answered> {
        let watch = Stopwatch::start();
        self.ask(&format!("GET {path}"), "")?;
        let text = self.answer().with_context(|| path.to_owned())?;
        let ms = watch.seconds() * 1_000.0;
        let body = serde_json::from_slice(&text)?;
        Ok(Answered { body, ms })
    }

    /// Sends a CSV file in one request to be imported; gives the answer.
    pub(super) fn import(&mut self, csv: &Path) -> anyhow::Result<Answered> {
        let mut file = File::open(csv)?;
        let length = file.metadata()?.len();
        let watch = Stopwatch::start();
        self.ask(
            "POST /api/v1/numbers/import",
            &format!("Content-Type: text/csv\r\nContent-Length: {length}\r\n"),
        )?;
        std::io::copy(&mut file, &mut self.stream)?;
        let text = self.answer().context("import")?;
        let ms = watch.seconds() * 1_000.0;
        let body = serde_json::from_slice(&text)?;
        Ok(Answered { body, ms })
    }

    fn ask(&mut self, line: &str, more: &str) -> anyhow::Result<()> {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n{more}\r\n"
        );
        Ok(self.stream.write_all(head.as_bytes())?)
    }

    fn answer(&mut self) -> anyhow::Result<Vec<u8>> {
        let head = loop {
            match self.ahead.windows(4).position(|some| some == b"\r\n\r\n") {
                Some(end) => break end,
                None => self.more()?,
            }
        };
        let text = String::from_utf8_lossy(&self.ahead[..head]).to_ascii_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .context("an answer without content-length")?;
        let end = head + 4 + length.trim().parse::<usize>()?;
        while self.ahead.len() < end {
            self.more()?;
        }
        let rest = self.ahead.split_off(end);
        let body = std::mem::replace(&mut self.ahead, rest).split_off(head + 4);
        if !text.starts_with("http/1.1 200") {
            bail!("{text}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }

    fn more(&mut self) -> anyhow::Result<()> {
        let mut some = [0; 64 * 1_024];
        match self.stream.read(&mut some)? {
            0 => bail!("the server closed the connection"),
            read => self.ahead.extend_from_slice(&some[..read]),
        }
        Ok(())
    }
}

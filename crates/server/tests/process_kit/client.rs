//! A client with one connection that is kept: what it was not answered whole, it was not answered.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::process::TOKEN;

/// Longer than any deadline of the service: whoever waits so long hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// The member of that name, when it is a text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        Some(self.json()[name].as_str()?.to_owned())
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::reach(address).expect("it listens")
    }

    /// A connection to who may not be there.
    ///
    /// # Errors
    /// Nobody listens.
    pub(crate) fn reach(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Asks and waits for the whole answer.
    ///
    /// # Errors
    /// The connection ended: before the answer, or within it ([`io::ErrorKind::UnexpectedEof`]).
    ///
    /// # Panics
    /// No answer and no end came in time.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        self.ask_as(TOKEN, method, path, body)
    }

    /// The same with this token or key.
    ///
    /// # Errors
    /// As [`Client::ask`].
    ///
    /// # Panics
    /// As [`Client::ask`].
    pub(crate) fn ask_as(
        &mut self,
        token: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> io::Result<Answer> {
        let media_type = match body.starts_with('{') {
            true => "application/json",
            false => "text/csv",
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nx-admin-token: {token}\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.stream
            .get_mut()
            .write_all(format!("{head}{body}").as_bytes())?;
        self.answer().inspect_err(|error| {
            let hangs = matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            );
            assert!(!hangs, "{method} {path}: no answer in {PATIENCE:?}");
        })
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut bytes = 0;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(length) = line.strip_prefix("content-length: ") {
                bytes = length.parse().expect("a length");
            }
        }
        let mut body = vec![0; bytes];
        self.stream.read_exact(&mut body)?;
        Ok(Answer {
            status: status.expect("a status line"),
            body: String::from_utf8(body).expect("text"),
        })
    }
}

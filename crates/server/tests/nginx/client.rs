//! A client that says exactly what it is told to, from the address it is told to.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use tokio::net::TcpSocket;

use crate::proxy::{HOST, Nginx};

const PATIENCE: Duration = Duration::from_secs(60);

/// Something that is read and written.
pub(crate) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// Who asks, and how.
#[derive(Clone, Copy)]
pub(crate) struct Client<'a> {
    pub(crate) nginx: &'a Nginx,
    pub(crate) from: IpAddr,
    pub(crate) by_tls: bool,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl<'a> Client<'a> {
    /// By TLS, from `127.0.0.<last>`.
    pub(crate) fn at(nginx: &'a Nginx, last: u8) -> Self {
        Self {
            nginx,
            from: IpAddr::from([127, 0, 0, last]),
            by_tls: true,
        }
    }

    /// The same without TLS.
    pub(crate) fn plainly(self) -> Self {
        Self {
            by_tls: false,
            ..self
        }
    }

    /// Asks with these headers and this body, and reads the answer to its end.
    pub(crate) fn ask(self, line: &str, headers: &[&str], body: &str) -> Answer {
        let mut stream = self.begin(line, headers, body);
        let mut bytes = Vec::new();
        // A server that ends TLS with the connection is no fault of what was sent.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        Answer {
            status: status.expect("a status"),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// Asks, and leaves the answer to the caller.
    pub(crate) fn begin(self, line: &str, headers: &[&str], body: &str) -> Box<dyn Stream> {
        let mut stream = self.connect();
        let mut request = format!("{line} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n");
        for header in headers {
            request.push_str(&format!("{header}\r\n"));
        }
        if !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        // Whoever refuses a long body does not read all of it.
        let _ = stream
            .write_all(body.as_bytes())
            .and_then(|()| stream.flush());
        stream
    }

    fn connect(self) -> Box<dyn Stream> {
        if self.by_tls {
            let stream = connect(self.from, self.nginx.https);
            return Box::new(encrypted(self.nginx.trust.clone(), stream));
        }
        Box::new(connect(self.from, self.nginx.http))
    }
}

fn encrypted(
    trust: Arc<ClientConfig>,
    stream: TcpStream,
) -> StreamOwned<ClientConnection, TcpStream> {
    let connection = ClientConnection::new(trust, HOST.try_into().unwrap()).unwrap();
    StreamOwned::new(connection, stream)
}

/// The standard library cannot choose where a connection comes from.
fn connect(from: IpAddr, to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let connected = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        socket.connect(to).await?.into_std()
    });
    let stream = connected.unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

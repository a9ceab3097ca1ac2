//! Servers that are not ours: VICIdial's FastAGI, and services in all sorts of trouble.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::rig::CAMPAIGN;

/// VICIdial's `call_log`, as far as dialplans see it: it sets the campaign.
pub(crate) struct CallLog(SocketAddr);

impl CallLog {
    pub(crate) fn start() -> Self {
        Self(serve(|stream| {
            let mut lines = BufReader::new(stream.try_clone()?).lines();
            // What Asterisk says of the call ends with an empty line.
            while !lines.next().transpose()?.unwrap_or_default().is_empty() {}
            for (name, value) in [("CAMPCUST", CAMPAIGN), ("CAMPDTO", "30")] {
                writeln!(stream, "SET VARIABLE {name} {value}")?;
                lines.next().transpose()?;
            }
            Ok(())
        }))
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port()
    }
}

/// A web server that gives each request this status line and this body.
pub(crate) fn answers(status: &'static str, body: &'static str) -> SocketAddr {
    serve(move |stream| {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        while !lines.next().transpose()?.unwrap_or_default().is_empty() {}
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    })
}

/// A server that accepts and never says a word.
pub(crate) fn silent() -> SocketAddr {
    serve(|stream| {
        // Until the other side goes.
        stream.read_to_end(&mut Vec::new()).map(drop)
    })
}

/// A server that closes each connection at once.
pub(crate) fn closes() -> SocketAddr {
    serve(|_| Ok(()))
}

/// The same server at an address of IPv6; none where the machine has no IPv6.
pub(crate) fn over_ipv6(to: SocketAddr) -> Option<SocketAddr> {
    let listener = TcpListener::bind("[::1]:0").ok()?;
    Some(serve_on(listener, move |stream| {
        let mut there = TcpStream::connect(to)?;
        let (mut back, mut here) = (there.try_clone()?, stream.try_clone()?);
        thread::spawn(move || {
            // The end of either side is the end.
            let _ = std::io::copy(&mut back, &mut here);
            let _ = here.shutdown(Shutdown::Write);
        });
        std::io::copy(stream, &mut there)?;
        there.shutdown(Shutdown::Write)
    }))
}

/// An address that answers nothing at all, not even that nobody listens: no connection fits any more into the queue of its
/// listener, who takes none. It stays so as long as this lives.
pub(crate) struct BlackHole {
    pub(crate) address: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl BlackHole {
    pub(crate) fn open() -> Self {
        const FULL_AFTER: Duration = Duration::from_millis(300);
        const QUEUED_MOST: usize = 10;
        let listener = listener_for_one();
        let address = listener.local_addr().expect("an address");
        let connect = || TcpStream::connect_timeout(&address, FULL_AFTER).ok();
        let queued: Vec<_> = std::iter::from_fn(connect).take(QUEUED_MOST + 1).collect();
        assert!(queued.len() <= QUEUED_MOST, "the queue is never full");
        Self {
            address,
            _queued: queued,
            _listener: listener,
        }
    }
}

/// A listener whose queue has one place.
fn listener_for_one() -> TcpListener {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(any).expect("a port is free");
        let listener = socket.listen(1).expect("it listens");
        listener.into_std().expect("it is taken out")
    })
}

/// Serves each connection on a thread of its own, until the test ends.
fn serve(
    talk: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + Clone + 'static,
) -> SocketAddr {
    serve_on(
        TcpListener::bind("127.0.0.1:0").expect("a port is free"),
        talk,
    )
}

fn serve_on(
    listener: TcpListener,
    talk: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + Clone + 'static,
) -> SocketAddr {
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            let talk = talk.clone();
            // The other side may be gone: that is its affair.
            thread::spawn(move || drop(talk(&mut stream)));
        }
    });
    address
}

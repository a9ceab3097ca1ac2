//! The door of FastAGI.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::net::TcpStream;

use crate::fastagi::FastAgi;

use super::door::Host;
use super::seats::{Seat, Verdict};

/// Serves Asterisk.
pub(super) struct Asterisk(pub(super) Arc<FastAgi>);

impl Host for Asterisk {
    /// A dialog ends by itself at its deadline. Only one whose request is not whole makes room for others, and none is cut
    /// short by a stop: its deadline comes first.
    fn serve(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        seat: Arc<Seat>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let agi = self.0.clone();
        async move {
            let dialog = agi.converse(stream, peer, || seat.asks());
            tokio::select! {
                biased;
                () = dialog => {}
                () = told_to_make_room(&seat) => {}
            }
        }
    }
}

async fn told_to_make_room(seat: &Seat) {
    while seat.told().await != Verdict::Cut {}
}

//! What the list of requests is told of a dialog.

use std::net::IpAddr;

use caller_id_core::{Rung, Timestamp};
use tokio::time::Instant;

use crate::pulse::Pulse;
use crate::request_log::{Asked, AskedCall, Asker, By, NO_SUCH_PATH, RequestLog};

use super::dialog::Broken;

/// A dialog as far as it is known.
#[derive(Debug)]
pub(super) struct Noted {
    at: Timestamp,
    began: Instant,
    client: IpAddr,
    /// What the call said of itself, and the number that it was given.
    pub(super) call: AskedCall,
    /// On which rung that number was chosen.
    pub(super) rung: Option<Rung>,
    /// What became of it: one word, the same as over HTTP. None: the dialog did not come so far.
    pub(super) outcome: Option<&'static str>,
}

impl Noted {
    /// A dialog that begins.
    pub(super) fn begin(client: IpAddr, at: Timestamp) -> Self {
        Self {
            at,
            began: Instant::now(),
            client,
            call: AskedCall::default(),
            rung: None,
            outcome: None,
        }
    }

    /// The dialog about `path` is over, in this way.
    pub(super) fn over(
        self,
        (requests, pulse): (&RequestLog, &Pulse),
        path: &[u8],
        ended: &Result<(), Broken>,
    ) {
        let outcome = match ended {
            Ok(()) => self.outcome.unwrap_or("done"),
            Err(Broken::Deadline) => "unavailable",
            Err(Broken::HungUp) => "hung_up",
            Err(_) => "cut_off",
        };
        if path == b"next-cid" {
            pulse.count(self.at, outcome, self.rung);
        }
        let path = shown(path);
        // However the dialog ended then: nobody knew who asked.
        let asker = match path {
            NO_SUCH_PATH => Asker::Anybody,
            _ => self.outcome.map_or(Asker::Known, Asker::of),
        };
        requests.note(Asked {
            at: self.at,
            took: self.began.elapsed(),
            client: Some(self.client),
            by: By::FastAgi(path),
            asker,
            outcome,
            status: None,
            call: self.call,
        });
    }
}

/// A path that is not there may have anything in it.
const fn shown(path: &[u8]) -> &'static str {
    match path {
        b"next-cid" => "next-cid",
        b"call-result" => "call-result",
        _ => NO_SUCH_PATH,
    }
}

//! What the list of requests is told of a dialog.

use std::net::IpAddr;
use std::sync::Arc;

use caller_id_core::{AllocationRecord, Timestamp};
use tokio::time::Instant;

use crate::meters::{Ended, Script};
use crate::request_log::{Asked, AskedCall, Asker, By, NO_SUCH_PATH};

use super::FastAgi;
use super::dialog::Broken;

/// A dialog as far as it is known.
#[derive(Debug)]
pub(super) struct Noted {
    at: Timestamp,
    began: Instant,
    client: IpAddr,
    /// What the call said of itself, and the number that it was given.
    pub(super) call: AskedCall,
    /// The allocation of that number.
    pub(super) given: Option<Arc<AllocationRecord>>,
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
            given: None,
            outcome: None,
        }
    }

    /// The dialog about `path` is over, in this way.
    pub(super) fn over(self, agi: &FastAgi, path: &[u8], ended: &Result<(), Broken>) {
        let outcome = match ended {
            Ok(()) => self.outcome.unwrap_or("done"),
            Err(Broken::Deadline) => "unavailable",
            Err(Broken::HungUp) => "hung_up",
            Err(_) => "cut_off",
        };
        let took = self.began.elapsed();
        if path == b"next-cid" {
            agi.pulse.count(
                self.at,
                outcome,
                self.given.as_ref().map(|given| given.rung),
            );
            agi.meters.asked(outcome, self.given.as_deref());
        }
        agi.meters.talked(script(path), how(ended), took);
        let path = shown(path);
        // However the dialog ended then: nobody knew who asked.
        let asker = match path {
            NO_SUCH_PATH => Asker::Anybody,
            _ => self.outcome.map_or(Asker::Known, Asker::of),
        };
        agi.requests.note(Asked {
            at: self.at,
            took,
            client: Some(self.client),
            by: By::FastAgi(path),
            asker,
            outcome,
            status: None,
            call: self.call,
        });
    }
}

fn script(path: &[u8]) -> Script {
    match path {
        b"next-cid" => Script::NextCid,
        b"call-result" => Script::CallResult,
        _ => Script::Other,
    }
}

fn how(ended: &Result<(), Broken>) -> Ended {
    match ended {
        Ok(()) => Ended::Answered,
        Err(Broken::Deadline) => Ended::Deadline,
        Err(Broken::HungUp | Broken::Closed) => Ended::HungUp,
        Err(_) => Ended::CutOff,
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

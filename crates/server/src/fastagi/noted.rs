//! What the list of requests is told of a dialog.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use caller_id_core::{AllocationRecord, Timestamp, text};
use tokio::time::Instant;

use crate::meters::{Ended, Script};
use crate::request_log::{Asked, AskedCall, By};

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
        agi.requests.note(Asked {
            at: self.at,
            took,
            client: Some(self.client),
            by: By::FastAgi(shown(path)),
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

fn shown(path: &[u8]) -> Cow<'static, str> {
    match path {
        b"next-cid" => "next-cid".into(),
        b"call-result" => "call-result".into(),
        other => text::shown(&String::from_utf8_lossy(other)).into(),
    }
}

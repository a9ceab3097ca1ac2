//! The latest requests and what became of them, for people who wonder what a dialer asks. Kept in memory; where nodes share a
//! Redis, there too, so that every node shows all of them.

mod line;
mod privacy;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caller_id_core::shared::Board;
use caller_id_core::{AgentId, AllocatorError, CampaignId, PhoneNumber, Timestamp};
use tokio_util::sync::CancellationToken;

pub use self::line::Line;
pub use self::privacy::{Masking, Privacy};

/// How often a node shows the others what it was asked.
const POST_EVERY: Duration = Duration::from_millis(250);
/// Redis may take so long, then the node shows what it has itself.
const WAIT_MOST: Duration = Duration::from_secs(1);

/// One request, and what became of it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// When it came.
    pub at: Timestamp,
    /// How long the answer took.
    pub took: Duration,
    /// Who asked, as far as can be known.
    pub client: Option<IpAddr>,
    /// How it came in.
    pub by: By,
    /// What became of it: one word, as in answers and metrics.
    pub outcome: &'static str,
    /// The status of an answer over HTTP.
    pub status: Option<u16>,
    /// What a call said of itself.
    pub call: AskedCall,
}

/// How a request came in, and what it asked for.
#[derive(Debug, Clone)]
pub enum By {
    /// Over HTTP: the method and the path without its query.
    Http(Arc<str>),
    /// From Asterisk: the path of the URL.
    FastAgi(Cow<'static, str>),
}

/// What a request for a number said of its call, and what it was given.
#[derive(Debug, Clone, Default)]
pub struct AskedCall {
    /// The called party.
    pub destination: Option<PhoneNumber>,
    /// The campaign.
    pub campaign: Option<CampaignId>,
    /// The agent.
    pub agent: Option<AgentId>,
    /// The number that it was given.
    pub caller_id: Option<PhoneNumber>,
}

/// Keeps the latest requests.
pub struct RequestLog {
    node: String,
    /// Which run of it, so that the ids of lines are not given twice.
    run: u32,
    most: usize,
    masking: Masking,
    board: Option<Arc<dyn Board>>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    latest: VecDeque<Asked>,
    /// So many there were.
    noted: u64,
    /// So many of the latest no other node has seen.
    unseen: usize,
}

impl RequestLog {
    /// A log of the latest `most` requests; of none, when that is 0. `board` is where nodes show them to each other.
    pub fn new(
        (node, most): (String, usize),
        masking: Masking,
        board: Option<Arc<dyn Board>>,
    ) -> Self {
        Self {
            node,
            run: rand::random(),
            most,
            masking,
            board,
            kept: Mutex::default(),
        }
    }

    /// A log that keeps nothing.
    pub fn none() -> Self {
        let masking = Masking {
            privacy: Privacy::Mask,
            salt: 0,
        };
        Self::new((String::new(), 0), masking, None)
    }

    /// Keeps a request, and forgets the oldest.
    pub fn note(&self, asked: Asked) {
        if self.most == 0 {
            return;
        }
        let mut kept = self.kept();
        if kept.latest.len() >= self.most {
            kept.latest.pop_front();
        }
        kept.latest.push_back(asked);
        kept.noted += 1;
        kept.unseen = (kept.unseen + 1).min(self.most);
    }

    /// The latest requests of all nodes, newest first. `false`: only those of this node, the others could not be read.
    pub async fn latest(&self) -> (Vec<Line>, bool) {
        let Some(board) = self.board.as_ref().filter(|_| self.most > 0) else {
            return (self.own(self.most), true);
        };
        let unseen = self.kept().unseen;
        let posted = tokio::time::timeout(WAIT_MOST, board.posted(self.most)).await;
        let Ok(Ok(posted)) = posted else {
            return (self.own(self.most), false);
        };
        let posted = posted.iter().filter_map(|line| Line::read(line));
        let mut lines: Vec<Line> = posted.chain(self.own(unseen)).collect();
        lines.sort_by(|one, other| (&other.at, &other.id).cmp(&(&one.at, &one.id)));
        // What was shown to the others meanwhile is there twice.
        lines.dedup_by(|one, other| one.id == other.id);
        lines.truncate(self.most);
        (lines, true)
    }

    /// Shows the others what this node was asked, until `stop`. That Redis is away is told by others: what it missed is shown
    /// when it is back, as far as it is kept.
    pub async fn run(&self, stop: CancellationToken) {
        let Some(board) = self.board.as_ref().filter(|_| self.most > 0) else {
            return stop.cancelled().await;
        };
        let mut ticks = tokio::time::interval(POST_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if self.post(&**board).await.is_err() {
                ticks.reset_after(WAIT_MOST);
            }
        }
        // The last word of a node that stops.
        let _ = tokio::time::timeout(WAIT_MOST, self.post(&**board)).await;
    }

    async fn post(&self, board: &dyn Board) -> Result<(), AllocatorError> {
        let unseen = std::mem::take(&mut self.kept().unseen);
        if unseen == 0 {
            return Ok(());
        }
        let lines = self.own(unseen);
        let lines: Vec<String> = lines.iter().rev().map(Line::written).collect();
        let posted = board.post(lines, self.most).await;
        if posted.is_err() {
            let mut kept = self.kept();
            kept.unseen = (kept.unseen + unseen).min(kept.latest.len());
        }
        posted
    }

    /// The latest of this node, newest first.
    fn own(&self, most: usize) -> Vec<Line> {
        let kept = self.kept();
        let latest = kept.latest.iter().rev().zip(0..).take(most);
        latest
            .map(|(asked, back)| {
                let id = format!("{:08x}-{}", self.run, kept.noted - back);
                Line::new(id, asked, &self.node, &self.masking)
            })
            .collect()
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

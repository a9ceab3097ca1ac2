//! The latest requests and what became of them, for people who wonder what a dialer asks. Kept in memory; where nodes share a
//! Redis, there too, so that every node shows all of them.

mod line;
mod privacy;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caller_id_core::shared::{Board, BoardList};
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
    /// Whether whoever asked may ask.
    pub asker: Asker,
    /// What became of it: one word, as in answers and metrics.
    pub outcome: &'static str,
    /// The status of an answer over HTTP.
    pub status: Option<u16>,
    /// What a call said of itself.
    pub call: AskedCall,
}

/// Whose request it was. What anybody asks is kept apart, so that it pushes out nothing of those who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Of somebody who may ask.
    Known,
    /// Anybody's: it was refused, asked for what is not there, or for a session.
    Anybody,
}

impl Asker {
    const fn list(self) -> BoardList {
        match self {
            Self::Known => BoardList::Requests,
            Self::Anybody => BoardList::Refusals,
        }
    }

    /// Whose a request is that had this outcome and no other mark.
    pub fn of(outcome: &str) -> Self {
        match outcome {
            "refused" | "limited" => Self::Anybody,
            _ => Self::Known,
        }
    }
}

/// What is shown in place of a path that is not there: whatever stands in it is nobody's business.
pub const NO_SUCH_PATH: &str = "(no such path)";

/// How a request came in, and what it asked for.
#[derive(Debug, Clone)]
pub enum By {
    /// Over HTTP: the method and the path without its query.
    Http(Arc<str>),
    /// From Asterisk: the path of the URL.
    FastAgi(&'static str),
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
    known: Mutex<Kept>,
    anybody: Mutex<Kept>,
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
    /// A log of the latest `most` requests of those who may ask, and a quarter as many of anybody; of none, when that is 0. `board` is where nodes show them to each other.
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
            known: Mutex::default(),
            anybody: Mutex::default(),
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

    /// Keeps a request, and forgets the oldest of its kind.
    pub fn note(&self, asked: Asked) {
        let (asker, most) = (asked.asker, self.most_of(asked.asker));
        if most == 0 {
            return;
        }
        let mut kept = self.kept(asker);
        if kept.latest.len() >= most {
            kept.latest.pop_front();
        }
        kept.latest.push_back(asked);
        kept.noted += 1;
        kept.unseen = (kept.unseen + 1).min(most);
    }

    /// The latest requests of all nodes, newest first: at most `most` of those who may ask, besides a quarter as many of
    /// anybody, and never more than are kept. `false`: only those of this node, the others could not be read.
    pub async fn latest(&self, most: usize) -> (Vec<Line>, bool) {
        let (known, anybody) =
            tokio::join!(self.latest_of(Asker::Known), self.latest_of(Asker::Anybody));
        let all_nodes = known.1 && anybody.1;
        let mut lines: Vec<Line> = known.0.into_iter().take(most).collect();
        lines.extend(anybody.0.into_iter().take(share(most)));
        // Each of the two is in order already, also where instants are the same.
        lines.sort_by(|one, other| other.at.cmp(&one.at));
        (lines, all_nodes)
    }

    async fn latest_of(&self, asker: Asker) -> (Vec<Line>, bool) {
        let most = self.most_of(asker);
        let Some(board) = self.board.as_ref().filter(|_| most > 0) else {
            return (self.own(asker, most), true);
        };
        let unseen = self.kept(asker).unseen;
        let posted = tokio::time::timeout(WAIT_MOST, board.posted(asker.list(), most)).await;
        let Ok(Ok(posted)) = posted else {
            return (self.own(asker, most), false);
        };
        let posted = posted.iter().filter_map(|line| Line::read(line));
        let mut lines: Vec<Line> = posted.chain(self.own(asker, unseen)).collect();
        lines.sort_by(newest_first);
        // What was shown to the others meanwhile is there twice.
        lines.dedup_by(|one, other| one.id == other.id);
        lines.truncate(most);
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
        for asker in [Asker::Known, Asker::Anybody] {
            self.post_of(asker, board).await?;
        }
        Ok(())
    }

    async fn post_of(&self, asker: Asker, board: &dyn Board) -> Result<(), AllocatorError> {
        let unseen = std::mem::take(&mut self.kept(asker).unseen);
        if unseen == 0 {
            return Ok(());
        }
        let lines = self.own(asker, unseen);
        let lines: Vec<String> = lines.iter().rev().map(Line::written).collect();
        let posted = board.post(asker.list(), lines, self.most_of(asker)).await;
        if posted.is_err() {
            let mut kept = self.kept(asker);
            kept.unseen = (kept.unseen + unseen).min(kept.latest.len());
        }
        posted
    }

    /// The latest of this node, newest first.
    fn own(&self, asker: Asker, most: usize) -> Vec<Line> {
        let kind = match asker {
            Asker::Known => "",
            Asker::Anybody => "r",
        };
        let kept = self.kept(asker);
        let latest = kept.latest.iter().rev().zip(0..).take(most);
        latest
            .map(|(asked, back)| {
                let id = format!("{:08x}-{kind}{}", self.run, kept.noted - back);
                Line::new(id, asked, &self.node, &self.masking)
            })
            .collect()
    }

    const fn most_of(&self, asker: Asker) -> usize {
        match asker {
            Asker::Known => self.most,
            Asker::Anybody => share(self.most),
        }
    }

    fn kept(&self, asker: Asker) -> std::sync::MutexGuard<'_, Kept> {
        let kept = match asker {
            Asker::Known => &self.known,
            Asker::Anybody => &self.anybody,
        };
        kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So many of anybody are shown besides so many of those who may ask.
const fn share(most: usize) -> usize {
    most.div_ceil(4)
}

fn newest_first(one: &Line, other: &Line) -> std::cmp::Ordering {
    (&other.at, &other.id).cmp(&(&one.at, &one.id))
}

#[cfg(test)]
mod tests;

//! Allocations as CSV, for carriers who trace calls back: written while it is read, a page in memory at a time.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use caller_id_core::history_query::{PastPage, PastQuery};
use caller_id_core::listing::{NumberFilter, NumberQuery};
use caller_id_core::{
    AllocationId, HistoryReader, InventoryStore, Number, PastAllocation, PhoneNumber, StoreError,
    Timestamp,
};
use futures_util::stream;
use tokio::sync::mpsc;

use super::body::status;
use crate::http::ApiError;
use crate::spreadsheet;

/// So many allocations are read at once.
const PAGE: usize = 1_000;
/// So many pages wait for a client that reads slowly.
const PAGES_WAITING: usize = 1;

/// The columns, in their order.
const HEADER: &str = "called_at,calling_number,called_number,call_id,campaign,agent,status,answered_seconds,dialed_seconds,\
    hangup_cause,sip_code,attestation,carrier,pool,rung,ended_at,allocation_id\n";

/// All allocations that `asked` asks for and that were made up to `now`, newest first. Once it has begun, an answer that
/// cannot go on is cut off, so that nobody takes a part for the whole.
///
/// # Errors
/// [`ApiError::Store`] where nothing could be read.
pub(super) async fn answer(
    source: Source,
    mut asked: PastQuery,
    now: Timestamp,
) -> Result<Response, ApiError> {
    asked.most = PAGE;
    // New calls would come before the first page anyway: an answer that says up to when it is complete can be repeated.
    let end = now.plus_ms(1);
    asked.filter.until = Some(asked.filter.until.map_or(end, |until| until.min(end)));
    let (first, next) = source.part(&asked).await?;
    let (send, receive) = mpsc::channel(PAGES_WAITING);
    tokio::spawn(async move {
        let first = Ok(Bytes::from(HEADER.to_owned() + &first));
        if send.send(first).await.is_ok()
            && let Some(before) = next
        {
            asked.before = Some(before);
            source.go_on(asked, &send).await;
        }
    });
    let parts = stream::unfold(receive, async |mut receive: mpsc::Receiver<Part>| {
        receive.recv().await.map(|part| (part, receive))
    });
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"allocations.csv\"",
        ),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// A part of the answer.
type Part = Result<Bytes, io::Error>;

/// Where allocations and their numbers are.
pub(super) struct Source {
    /// The allocations.
    pub(super) history: Arc<dyn HistoryReader>,
    /// The numbers, as they are now.
    pub(super) inventory: Arc<dyn InventoryStore>,
}

impl Source {
    /// Sends the other pages, as long as somebody takes them.
    async fn go_on(&self, mut asked: PastQuery, send: &mpsc::Sender<Part>) {
        while !send.is_closed() {
            let (text, next) = match self.part(&asked).await {
                Ok(part) => part,
                Err(error) => {
                    tracing::warn!(%error, "an export of allocations is cut off");
                    let _ = send.send(Err(io::Error::other(error))).await;
                    return;
                }
            };
            // Where few of many are asked for, there are pages with nothing on them.
            if !text.is_empty() && send.send(Ok(text.into())).await.is_err() {
                return;
            }
            let Some(before) = next else {
                return;
            };
            asked.before = Some(before);
        }
    }

    /// A page as lines, and where the next begins.
    async fn part(&self, asked: &PastQuery) -> Result<(String, Option<AllocationId>), StoreError> {
        let PastPage { allocations, next } = self.history.past(asked).await?;
        let rows = self.rows(&allocations).await?;
        let lines = allocations.iter();
        let lines = lines.map(|past| line(past, rows.get(&past.record.number)));
        Ok((lines.collect(), next))
    }

    /// The numbers presented: those that are still there.
    async fn rows(
        &self,
        allocations: &[PastAllocation],
    ) -> Result<HashMap<PhoneNumber, Number>, StoreError> {
        if allocations.is_empty() {
            return Ok(HashMap::new());
        }
        let mut numbers: Vec<PhoneNumber> =
            allocations.iter().map(|past| past.record.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let query = NumberQuery {
            most: numbers.len(),
            filter: NumberFilter {
                numbers,
                ..NumberFilter::default()
            },
            ..NumberQuery::default()
        };
        let rows = self.inventory.list_numbers(&query).await?.into_iter();
        Ok(rows.map(|row| (row.number.number, row.number)).collect())
    }
}

fn line(past: &PastAllocation, number: Option<&Number>) -> String {
    let record = &past.record;
    let report = past.result.map(|result| result.report).unwrap_or_default();
    let cells: [Cow<'_, str>; 17] = [
        record.at.to_string().into(),
        record.number.to_string().into(),
        record.destination.to_string().into(),
        text(record.call_id.as_ref().map(|id| id.as_str())),
        text(record.campaign.as_ref().map(|id| id.as_str())),
        text(record.agent.as_ref().map(|id| id.as_str())),
        status(past).unwrap_or_default().into(),
        or_empty(report.answered_seconds),
        or_empty(report.dialed_seconds),
        or_empty(report.hangup_cause),
        or_empty(report.sip_code),
        or_empty(number.and_then(|number| number.attestation)),
        text(number.and_then(|number| number.carrier.as_deref())),
        text(Some(record.pool.as_str())),
        record.rung.as_str().into(),
        or_empty(past.ended.map(|end| end.at)),
        record.id.to_string().into(),
    ];
    cells.join(",") + "\n"
}

fn or_empty(value: Option<impl ToString>) -> Cow<'static, str> {
    value.map_or(Cow::Borrowed(""), |value| value.to_string().into())
}

/// A text that somebody else chose, as a cell: no formula, and between quotes where it must be.
fn text(text: Option<&str>) -> Cow<'_, str> {
    let text = text.unwrap_or_default();
    let is_formula = spreadsheet::is_formula(text);
    let needs_quotes = text.contains([',', '"', '\n', '\r', '\t', ';']);
    if !is_formula && !needs_quotes {
        return Cow::Borrowed(text);
    }
    let apostrophe = if is_formula { "'" } else { "" };
    format!("\"{apostrophe}{}\"", text.replace('"', "\"\"")).into()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use caller_id_core::history_query::{Activity, Falling, StatsQuery, StatsRow};
    use caller_id_core::{AllocationRecord, CampaignId, ManualClock, PoolId, Rung};
    use caller_id_store::{SqliteOptions, SqliteStore};
    use http_body_util::BodyExt;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_a_spreadsheet_would_take_for_a_formula_is_text() {
        for (given, cell) in [
            ("SOLAR", "SOLAR"),
            ("", ""),
            ("a, b", "\"a, b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "\"'=1+1\""),
            (" =1+1", "\"' =1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("=cmd|' /C calc'!A0\"", "\"'=cmd|' /C calc'!A0\"\"\""),
            ("a;=1", "\"a;=1\""),
        ] {
            assert_eq!(text(Some(given)), cell);
        }
    }

    /// A history without end, that may break after some pages.
    struct Endless {
        pages: AtomicUsize,
        break_at: usize,
    }

    #[async_trait]
    impl HistoryReader for Endless {
        async fn past(&self, query: &PastQuery) -> Result<PastPage, StoreError> {
            if self.pages.fetch_add(1, Ordering::SeqCst) == self.break_at {
                return Err(StoreError::Closed);
            }
            let number = PhoneNumber::from_e164_digits(13_125_550_100).expect("a number");
            let past = PastAllocation::new(record(number));
            Ok(PastPage {
                next: Some(past.record.id),
                allocations: vec![past; query.most],
            })
        }

        async fn stats(&self, _: &StatsQuery, _: usize) -> Result<Vec<StatsRow>, StoreError> {
            Ok(Vec::new())
        }

        async fn campaigns_seen(&self, _: Timestamp) -> Result<Vec<(CampaignId, u64)>, StoreError> {
            Ok(Vec::new())
        }

        async fn activity(&self, _: Timestamp, _: Timestamp) -> Result<Vec<Activity>, StoreError> {
            Ok(Vec::new())
        }

        async fn falling(&self, _: usize) -> Result<(Timestamp, Vec<Falling>), StoreError> {
            Ok((Timestamp::ZERO, Vec::new()))
        }

        async fn sum_up(&self, _: Timestamp) -> Result<bool, StoreError> {
            Ok(false)
        }
    }

    fn record(number: PhoneNumber) -> AllocationRecord {
        AllocationRecord {
            id: AllocationId::of(number, AT, 0),
            at: AT,
            number,
            destination: number,
            campaign: None,
            agent: None,
            call_id: None,
            pool: PoolId::default(),
            rung: Rung::Any,
            reserved_until: AT,
        }
    }

    const AT: Timestamp = Timestamp::from_ms(1_795_348_800_000);

    async fn exported(break_at: usize) -> (Response, Arc<Endless>, TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let options = SqliteOptions::new(Arc::new(ManualClock::at(AT)));
        let store = SqliteStore::open(&folder.path().join("a.db"), options).expect("a store");
        let endless = Arc::new(Endless {
            pages: AtomicUsize::new(0),
            break_at,
        });
        let source = Source {
            history: endless.clone(),
            inventory: store,
        };
        let answer = answer(source, PastQuery::default(), AT).await;
        (answer.expect("an answer"), endless, folder)
    }

    #[tokio::test]
    async fn no_more_is_read_than_is_taken() {
        let (answer, history, _folder) = exported(usize::MAX).await;
        let mut body = answer.into_body();
        for _ in 0..20 {
            let frame = body.frame().await.expect("more").expect("a page");
            assert!(frame.into_data().is_ok_and(|page| page.len() > 100_000));
        }
        // One that is being read, one that is being sent, and what waits.
        let ahead = history.pages.load(Ordering::SeqCst) - 20;
        assert!(ahead <= 2 + PAGES_WAITING, "{ahead} pages ahead");
        drop(body);
        while Arc::strong_count(&history) > 1 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn an_export_that_cannot_go_on_is_cut_off_and_does_not_end() {
        let (answer, _, _folder) = exported(2).await;
        let mut body = answer.into_body();
        for _ in 0..2 {
            body.frame().await.expect("more").expect("a page");
        }
        assert!(body.frame().await.expect("more").is_err());
    }
}

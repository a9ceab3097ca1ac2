//! A file that comes with a form, passed on to the API while it comes: none of it is kept.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, Method};
use futures_util::stream;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::dashboard::Dashboard;
use crate::dashboard::failure::Failure;
use crate::dashboard::visit::Visit;

/// No file with its form is larger, in bytes: several million rows.
pub(super) const FILE_MOST: usize = 512 << 20;
/// No other field of the form is longer, in bytes.
const FIELD_MOST: usize = 4 << 10;
/// Pieces of the file on their way to the API.
const PIECES_AHEAD: usize = 4;
/// So much of a file that the API has refused is still taken, so that the browser comes to read why.
const UNWANTED_MOST: usize = 64 << 20;
/// The browser may send nothing for so long.
const STALL: Duration = Duration::from_secs(30);
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// The form, of which the file is still to come.
pub(super) struct Upload(Multipart);

impl FromRequest<Arc<Dashboard>> for Upload {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &Arc<Dashboard>) -> Result<Self, Failure> {
        let read = Multipart::from_request(request, state).await;
        read.map(Self)
            .map_err(|_| Failure::invalid("A form with a file is expected"))
    }
}

/// What stands in the form before the file.
#[derive(Debug, Default)]
struct Said {
    proof: String,
    on_duplicate: String,
}

impl Said {
    fn path(&self, dry_run: bool) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("job", "true");
        query.append_pair("dry_run", if dry_run { "true" } else { "false" });
        if !self.on_duplicate.is_empty() {
            query.append_pair("on_duplicate", &self.on_duplicate);
        }
        format!("/api/v1/numbers/import?{}", query.finish())
    }
}

impl Upload {
    /// Has the API read the file, as a job. Gives the job once all of the file is there.
    ///
    /// # Errors
    /// There is no file, it is too large or broke off, or the API refuses it.
    pub(super) async fn pass_on(
        self,
        dashboard: &Dashboard,
        visit: &Visit,
        dry_run: bool,
    ) -> Result<Value, Failure> {
        let passed = self.pass(dashboard, visit, dry_run).await;
        passed.map_err(|failure| failure.seen_by(visit))
    }

    async fn pass(
        self,
        dashboard: &Dashboard,
        visit: &Visit,
        dry_run: bool,
    ) -> Result<Value, Failure> {
        let Self(mut form) = self;
        let mut said = Said::default();
        loop {
            let field = in_time(form.next_field()).await?;
            let field = field.ok_or_else(|| Failure::invalid("Choose a file first"))?;
            match field.name() {
                Some("csrf_token") => said.proof = text(field).await?,
                Some("on_duplicate") => said.on_duplicate = text(field).await?,
                Some("file") if field.file_name().is_some_and(str::is_empty) => {
                    return Err(Failure::invalid("Choose a file first"));
                }
                Some("file") => return send(field, &said, dry_run, (dashboard, visit)).await,
                _ => {}
            }
        }
    }
}

async fn send(
    file: Field<'_>,
    said: &Said,
    dry_run: bool,
    (dashboard, visit): (&Dashboard, &Visit),
) -> Result<Value, Failure> {
    let (pieces, taken) = mpsc::channel(PIECES_AHEAD);
    let kind = kind(file.file_name().unwrap_or_default());
    let mut request = visit.request(Method::POST, &said.path(dry_run))?;
    request = request.header(CONTENT_TYPE, kind);
    if !said.proof.is_empty() {
        request = request.header(CSRF, &said.proof);
    }
    let request = request.body(body(taken))?;
    let (answer, sent) = tokio::join!(dashboard.api.answer(visit, request), pump(file, pieces));
    let job = answer?.body;
    sent.map(|()| job)
}

/// By its name: what browsers say of a file's kind is of little use.
fn kind(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let is_ndjson = [".ndjson", ".jsonl"].iter().any(|end| name.ends_with(end));
    if is_ndjson {
        "application/x-ndjson"
    } else {
        "text/csv"
    }
}

/// A piece of the file, or its end. Where neither comes any more, the file broke off: half of it is never taken for the whole.
enum Piece {
    Data(Bytes),
    End,
}

fn body(pieces: mpsc::Receiver<Piece>) -> Body {
    Body::from_stream(stream::try_unfold(
        pieces,
        async |mut pieces| match pieces.recv().await {
            Some(Piece::Data(bytes)) => Ok(Some((bytes, pieces))),
            Some(Piece::End) => Ok(None),
            None => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        },
    ))
}

/// Moves the file on. A file that nobody takes any more is read for a while, and then left.
async fn pump(mut file: Field<'_>, pieces: mpsc::Sender<Piece>) -> Result<(), Failure> {
    let mut unwanted = 0;
    while let Some(bytes) = in_time(file.chunk()).await? {
        let length = bytes.len();
        if pieces.send(Piece::Data(bytes)).await.is_err() {
            unwanted += length;
            if unwanted > UNWANTED_MOST {
                return Ok(());
            }
        }
    }
    // Whether anybody takes it shows in the answer.
    let _ = pieces.send(Piece::End).await;
    Ok(())
}

async fn text(mut field: Field<'_>) -> Result<String, Failure> {
    let mut all = Vec::new();
    while let Some(bytes) = in_time(field.chunk()).await? {
        all.extend_from_slice(&bytes);
        if all.len() > FIELD_MOST {
            return Err(Failure::invalid("A field of the form is too long"));
        }
    }
    Ok(String::from_utf8_lossy(&all).trim().to_owned())
}

async fn in_time<T>(
    part: impl Future<Output = Result<T, axum::extract::multipart::MultipartError>>,
) -> Result<T, Failure> {
    match timeout(STALL, part).await {
        Ok(Ok(part)) => Ok(part),
        Ok(Err(error)) if error.status() == 413 => Err(Failure::invalid(
            "The file is larger than 512 MiB: cut it in parts",
        )),
        Ok(Err(_)) => Err(Failure::invalid(
            "The file broke off on its way: send it again",
        )),
        Err(_) => Err(Failure::invalid(
            "The file stopped coming for half a minute: send it again",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_json_are_known_by_the_name_of_their_file() {
        assert_eq!(kind("numbers.NDJSON"), "application/x-ndjson");
        assert_eq!(kind("numbers.jsonl.gz"), "application/x-ndjson");
        assert_eq!(kind("numbers.csv.gz"), "text/csv");
        assert_eq!(kind(""), "text/csv");
    }

    #[tokio::test]
    async fn a_file_that_breaks_off_is_never_taken_for_a_whole_one() {
        let (pieces, taken) = mpsc::channel(4);
        let _ = pieces.send(Piece::Data(Bytes::from_static(b"a"))).await;
        drop(pieces);
        assert!(axum::body::to_bytes(body(taken), 9).await.is_err());
        let (pieces, taken) = mpsc::channel(4);
        let _ = pieces.send(Piece::Data(Bytes::from_static(b"a"))).await;
        let _ = pieces.send(Piece::End).await;
        let whole = axum::body::to_bytes(body(taken), 9).await;
        assert_eq!(whole.ok().as_deref(), Some(&b"a"[..]));
    }
}

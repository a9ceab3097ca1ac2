//! `GET /api/v1/numbers/export`: numbers as a file that imports again to the same state.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use caller_id_core::listing::{NumberQuery, NumberRow};
use caller_id_core::{InventoryStore, StoreError};
use futures_util::stream;

use super::body::NumberFields;
use super::filter;
use crate::http::page::Parameters;
use crate::http::{Api, ApiError, Viewer};
use crate::rows::{Form, NumberWriter};

/// So many numbers are read at once.
const PAGE: usize = 2_000;

/// Numbers as a file: all of them, or those that a filter asks for, in the order of their digits. It is read from the store
/// page by page while it is sent, each page a moment of its own.
///
/// Text that a spreadsheet would take for a formula gets an apostrophe in front, which an import takes away again: the file imports
/// to the same state.
#[utoipa::path(get, path = "/api/v1/numbers/export", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(
        ("format" = Option<String>, Query, description = "csv (default) or ndjson"),
        ("pool" = Option<String>, Query, description = "In one of these pools, with commas between them"),
        ("status" = Option<String>, Query, description = "active, paused, resting, retired, or some of them"),
        ("carrier" = Option<String>, Query, description = "Of this carrier"),
        ("no_carrier" = Option<bool>, Query, description = "true: without a carrier"),
        ("area_code" = Option<String>, Query, description = "With one of these area codes"),
        ("region" = Option<String>, Query, description = "With an area code of one of these states or provinces"),
        ("attestation" = Option<String>, Query, description = "A, B, C, or some of them"),
        ("number" = Option<String>, Query, description = "These numbers, in any form"),
        ("begins" = Option<String>, Query, description = "Whose E.164 digits begin with these: 1312"),
        ("q" = Option<String>, Query, description = "With these digits in it, as people type them: (312) 555"),
    ),
    responses(
        (status = 200, description = "The file", content(
            (String = "text/csv", example = "caller_id,carrier,area_code,daily_limit,hourly_limit,pool,attestation,status,meta\n+13125550100,Carrier A,312,500,none,default,A,active,\n"),
            (NumberFields = "application/x-ndjson"),
        )),
        (status = 422, description = "A parameter cannot be understood, or is none", body = crate::http::openapi::ProblemBody),
        (status = 503, description = "The store failed", body = crate::http::openapi::ProblemBody),
    ))]
pub async fn export(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let (form, query) = read(query.as_deref())?;
    let (kind, file) = match form {
        Form::Csv => (
            "text/csv; charset=utf-8",
            "attachment; filename=\"numbers.csv\"",
        ),
        Form::Ndjson => (
            "application/x-ndjson",
            "attachment; filename=\"numbers.ndjson\"",
        ),
    };
    let mut export = Export {
        store: api.inventory.clone(),
        query: Some(query),
        writer: Writer::new(form)?,
    };
    // A store that fails at once is told in so many words; later the file breaks off.
    let first = export.page().await?.unwrap_or_default();
    let rest = stream::try_unfold(export, async |mut export| {
        let page = export.page().await;
        page.map(|page| page.map(|page| (page, export)))
    });
    let first = stream::iter([Ok::<_, StoreError>(first)]);
    let body = Body::from_stream(futures_util::StreamExt::chain(first, rest));
    Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, file)], body).into_response())
}

fn read(text: Option<&str>) -> Result<(Form, NumberQuery), ApiError> {
    let known: Vec<&str> = filter::NAMES.into_iter().chain(["format"]).collect();
    let mut parameters = Parameters::new(text, &known);
    let form = parameters.one("format", |word| match word {
        "csv" => Ok(Form::Csv),
        "ndjson" => Ok(Form::Ndjson),
        _ => Err("format: csv or ndjson is expected"),
    });
    let query = NumberQuery {
        filter: filter::read(&mut parameters),
        most: PAGE,
        ..NumberQuery::default()
    };
    parameters.finish()?;
    Ok((form.unwrap_or(Form::Csv), query))
}

/// An export under way.
struct Export {
    store: Arc<dyn InventoryStore>,
    /// The page that comes next, if any.
    query: Option<NumberQuery>,
    writer: Writer,
}

impl Export {
    /// The next part of the file.
    async fn page(&mut self) -> Result<Option<Bytes>, StoreError> {
        let Some(query) = self.query.take() else {
            return Ok(None);
        };
        let rows = self.store.list_numbers(&query).await?;
        if rows.len() == query.most {
            let after = rows.last().map(|row| query.place(row));
            self.query = Some(NumberQuery { after, ..query });
        }
        let written = self.writer.write(&rows);
        written
            .map(Some)
            .map_err(|error| StoreError::Failed(error.into()))
    }
}

/// Writes pages.
enum Writer {
    Csv(NumberWriter<Vec<u8>>),
    Ndjson,
}

impl Writer {
    fn new(form: Form) -> Result<Self, ApiError> {
        Ok(match form {
            Form::Csv => {
                let writer = NumberWriter::new(Vec::new());
                Self::Csv(writer.map_err(|error| StoreError::Failed(error.into()))?)
            }
            Form::Ndjson => Self::Ndjson,
        })
    }

    /// What was not given out before: the header with the first page.
    fn write(&mut self, rows: &[NumberRow]) -> io::Result<Bytes> {
        let numbers = rows.iter().map(|row| &row.number);
        match self {
            Self::Csv(writer) => {
                for number in numbers {
                    writer.write(number)?;
                }
                Ok(std::mem::take(writer.get_mut()).into())
            }
            Self::Ndjson => {
                let mut text = Vec::new();
                for number in numbers {
                    serde_json::to_writer(&mut text, &NumberFields::from(number))?;
                    text.push(b'\n');
                }
                Ok(text.into())
            }
        }
    }
}

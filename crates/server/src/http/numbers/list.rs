//! `GET /api/v1/numbers`: the inventory, page by page.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use caller_id_core::listing::{Direction, NumberQuery, NumberRow, SortBy};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::NumberShown;
use super::{filter, live};
use crate::http::page::{List, Parameters};
use crate::http::{Api, ApiError, Viewer};

/// A page ends early when what is kept with its numbers is longer than this, in bytes.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A page of numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct NumberList {
    numbers: Vec<NumberShown>,
    /// `cursor` of the next page; null: this was the last.
    next: Option<String>,
    /// How many numbers there are in all pages, where `count=true` asks for it.
    total: Option<u64>,
    /// False: the engine could not be asked, and no number shows how it stands.
    is_live: bool,
}

/// The numbers that a filter asks for. A page begins behind the last number of the page before, whatever was added or
/// changed meanwhile: none is shown twice or left out that stays where it is in the order.
#[utoipa::path(get, path = "/api/v1/numbers", tag = "inventory", security(("admin_token" = []), ("bearer" = [])),
    params(
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
        ("sort" = Option<String>, Query, description = "number (default), area_code, carrier, pool, status, created_at or updated_at; with - in front the greatest first"),
        ("count" = Option<bool>, Query, description = "true: tell how many there are in all pages"),
        ("limit" = Option<u32>, Query, description = "How many a page has: 1 to 1000, 50 when not given"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = NumberList),
        (status = 422, description = "A parameter cannot be understood, or is none", body = crate::http::openapi::ProblemBody),
        (status = 503, description = "The store failed", body = crate::http::openapi::ProblemBody),
    ))]
pub async fn list(
    State(api): State<Arc<Api>>,
    _viewer: Viewer,
    RawQuery(query): RawQuery,
) -> Result<Json<NumberList>, ApiError> {
    let Asked {
        query,
        list,
        counted,
    } = read(query.as_deref())?;
    let page = query.most;
    let more = NumberQuery {
        most: page + 1,
        ..query
    };
    let mut rows = api.inventory.list_numbers(&more).await?;
    let fitting = fitting(&rows).min(page);
    let has_more = rows.len() > fitting;
    rows.truncate(fitting);
    let last = rows.last().filter(|_| has_more);
    let next = last.map(|row| list.cursor(&more.place(row)));
    let total = match counted {
        true => Some(api.inventory.count_matching(&more.filter).await?),
        false => None,
    };
    let shown = live::shown(&api, &rows).await;
    Ok(Json(NumberList {
        numbers: shown.numbers,
        next,
        total,
        is_live: shown.is_live,
    }))
}

/// How many rows go into a page that is not too large; one does.
fn fitting(rows: &[NumberRow]) -> usize {
    let mut bytes = 0;
    let fits = |row: &&NumberRow| {
        let first = bytes == 0;
        let meta = row.number.meta.as_ref();
        bytes += 1 + meta.map_or(0, |meta| meta.to_string().len());
        first || bytes <= PAGE_BYTES
    };
    rows.iter().take_while(fits).count()
}

struct Asked {
    query: NumberQuery,
    list: List,
    counted: bool,
}

fn read(text: Option<&str>) -> Result<Asked, ApiError> {
    let known: Vec<&str> = filter::NAMES
        .into_iter()
        .chain(["sort", "count", "limit", "cursor"])
        .collect();
    let mut parameters = Parameters::new(text, &known);
    // Whether it is counted makes no other list of it.
    let pairs = text.unwrap_or_default().split('&');
    let pairs: Vec<&str> = pairs.filter(|pair| !pair.starts_with("count=")).collect();
    let list = List::of(Some(&pairs.join("&")));
    let (sort, direction) = parameters.one("sort", sort).unwrap_or_default();
    let counted = parameters.one("count", |word| match word {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("count: true or false is expected"),
    });
    let query = NumberQuery {
        filter: filter::read(&mut parameters),
        sort,
        direction,
        after: parameters.place(&list),
        most: parameters.limit(),
    };
    parameters.finish()?;
    Ok(Asked {
        query,
        list,
        counted: counted.unwrap_or_default(),
    })
}

fn sort(text: &str) -> Result<(SortBy, Direction), &'static str> {
    let (name, direction) = match text.strip_prefix('-') {
        Some(name) => (name, Direction::Down),
        None => (text, Direction::Up),
    };
    let sort = match name {
        "number" => SortBy::Number,
        "area_code" => SortBy::AreaCode,
        "carrier" => SortBy::Carrier,
        "pool" => SortBy::Pool,
        "status" => SortBy::Status,
        "created_at" => SortBy::CreatedAt,
        "updated_at" => SortBy::UpdatedAt,
        _ => {
            return Err(
                "sort: number, area_code, carrier, pool, status, created_at or updated_at is expected, with - in front or without",
            );
        }
    };
    Ok((sort, direction))
}

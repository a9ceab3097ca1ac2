//! What pages that show and change one thing have in common: its name in a path, what is wrong with a field, lists in parts.

use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::dashboard::failure::Failure;
use crate::dashboard::form::Form;

/// More lines are not on one page.
const LINES_MOST: usize = 100;

/// A name as one part of a path or of a query, whatever it holds.
pub(super) fn segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

/// What the query of a page asks for, read like a form.
pub(super) fn asked(uri: &Uri) -> Form {
    Form::read(uri.query().unwrap_or_default().as_bytes())
}

/// What the API said of each field of a form, by the field's name.
pub(super) fn faults(failure: &Failure) -> Map<String, Value> {
    let mut by_field = Map::new();
    for fault in failure.problem["detail"].as_array().into_iter().flatten() {
        let place = fault["loc"].as_array().and_then(|place| place.last());
        let Some(name) = place.and_then(Value::as_str) else {
            continue;
        };
        let said = fault["msg"].as_str().unwrap_or("cannot be understood");
        // The name stands beside it already.
        let said = said.strip_prefix(&format!("{name}: ")).unwrap_or(said);
        by_field.entry(name).or_insert_with(|| said.into());
    }
    by_field
}

/// Whether whoever filled in a form can mend it: a field cannot be understood, or what they saw has changed.
///
/// # Errors
/// The failure again, where they cannot.
pub(super) fn mendable(failure: Failure) -> Result<Failure, Failure> {
    match failure.status {
        StatusCode::UNPROCESSABLE_ENTITY
        | StatusCode::CONFLICT
        | StatusCode::PRECONDITION_FAILED => Ok(failure),
        _ => Err(failure),
    }
}

/// What to say above a form that is shown again.
pub(super) fn said(failure: &Failure) -> String {
    match failure.status {
        StatusCode::PRECONDITION_FAILED => {
            "Somebody else changed this while you had it open. Below is what you filled in; save again to put it in place of \
             theirs, or load the page anew to see theirs."
                .to_owned()
        }
        StatusCode::UNPROCESSABLE_ENTITY if !faults(failure).is_empty() => {
            "Nothing was saved: see what is marked below.".to_owned()
        }
        _ => failure.text(),
    }
}

/// On to another page, once something is done.
pub(super) fn on_to(place: &str) -> Response {
    Redirect::to(place).into_response()
}

/// The same page with the status of what went wrong.
pub(super) fn with_status(mut page: Response, status: StatusCode) -> Response {
    *page.status_mut() = status;
    page
}

/// Those of `all` that the page shows, and what it says of the others: those with the text that is looked for in their id,
/// [`LINES_MOST`] at a time.
pub(super) fn part(all: Vec<Value>, asked: &Form) -> (Vec<Value>, Value) {
    let wanted = asked.text("q").to_lowercase();
    let fits = |line: &Value| {
        let id = line["id"].as_str().unwrap_or_default();
        id.to_lowercase().contains(&wanted)
    };
    let total = all.len();
    let fitting: Vec<Value> = all.into_iter().filter(fits).collect();
    let pages = fitting.len().div_ceil(LINES_MOST).max(1);
    let page = asked.text("page").parse().unwrap_or(1).clamp(1, pages);
    let shown = json!({
        "q": asked.text("q"), "page": page, "pages": pages, "fitting": fitting.len(), "total": total,
    });
    let lines = fitting.into_iter().skip((page - 1) * LINES_MOST);
    (lines.take(LINES_MOST).collect(), shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path_whatever_it_holds() {
        assert_eq!(segment("a/b c?"), "a%2Fb%20c%3F");
    }

    #[test]
    fn a_list_is_shown_in_parts_that_hold_what_is_looked_for() {
        let all = |many: usize| -> Vec<Value> {
            (0..many)
                .map(|place| json!({"id": format!("Pool {place:03}")}))
                .collect()
        };
        let uri: Uri = "/x?page=3".parse().expect("a path");
        let (lines, pages) = part(all(250), &asked(&uri));
        assert_eq!((lines.len(), &pages["pages"]), (50, &json!(3)));
        assert_eq!(lines[0]["id"], "Pool 200");
        let uri: Uri = "/x?q=pool+24&page=9".parse().expect("a path");
        let (lines, pages) = part(all(250), &asked(&uri));
        assert_eq!((lines.len(), &pages["page"]), (10, &json!(1)));
        let (lines, pages) = part(Vec::new(), &asked(&uri));
        assert_eq!((lines.len(), &pages["total"]), (0, &json!(0)));
    }
}

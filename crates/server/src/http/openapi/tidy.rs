//! What holds for every operation of the document, and need not be said at each.

use utoipa::Modify;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Content, OpenApi as Document, RefOr, Response};

const PROBLEM: &str = "application/problem+json";

/// Gives each operation an id of its own, and problems their media type.
pub(super) struct Tidy;

impl Modify for Tidy {
    fn modify(&self, document: &mut Document) {
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                operation.operation_id = Some(id(method, path));
                for response in operation.responses.responses.values_mut() {
                    if let RefOr::T(response) = response {
                        name_problem(response);
                    }
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let operations = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    let there = operations.into_iter();
    there.filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// `get_pools_id` for `GET /api/v1/pools/{id}`.
fn id(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let plain = |character: char| match character.is_ascii_alphanumeric() {
        true => character,
        false => '_',
    };
    let words: String = path
        .chars()
        .filter(|character| !matches!(character, '{' | '}'))
        .map(plain)
        .collect();
    format!("{method}{words}")
}

fn name_problem(response: &mut Response) {
    let named = std::mem::take(&mut response.content).into_iter();
    let renamed = named.map(|(kind, content)| match is_problem(&content) {
        true => (PROBLEM.to_owned(), content),
        false => (kind, content),
    });
    response.content = renamed.collect();
}

fn is_problem(content: &RefOr<Content>) -> bool {
    let RefOr::T(content) = content else {
        return false;
    };
    match &content.schema {
        Some(RefOr::Ref(named)) => named.ref_location.ends_with("/ProblemBody"),
        Some(RefOr::T(_)) | None => false,
    }
}

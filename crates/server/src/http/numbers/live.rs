//! Rows of the store, with how the engine says they stand.

use caller_id_core::NumberState;
use caller_id_core::listing::NumberRow;

use super::body::NumberShown;
use crate::http::Api;

/// Rows as people see them.
pub(super) struct Shown {
    /// In the order of the rows.
    pub(super) numbers: Vec<NumberShown>,
    /// The engine was asked and answered.
    pub(super) is_live: bool,
}

/// Asks the engine how `rows` stand. While it does not answer they are shown without: whoever administers numbers needs
/// them then, too.
pub(super) async fn shown(api: &Api, rows: &[NumberRow]) -> Shown {
    let states = states(api, rows).await;
    let is_live = states.is_some();
    let states = states.unwrap_or_default().into_iter();
    let states = states.chain(std::iter::repeat(None));
    let numbers = rows.iter().zip(states);
    Shown {
        numbers: numbers
            .map(|(row, state)| NumberShown::new(row, state))
            .collect(),
        is_live,
    }
}

/// The same of one row.
pub(super) async fn one(api: &Api, row: &NumberRow) -> NumberShown {
    let states = states(api, std::slice::from_ref(row)).await;
    let state = states.unwrap_or_default().into_iter().next();
    NumberShown::new(row, state.flatten())
}

/// `None` where the engine does not answer.
async fn states(api: &Api, rows: &[NumberRow]) -> Option<Vec<Option<NumberState>>> {
    let numbers: Vec<_> = rows.iter().map(|row| row.number.number).collect();
    let asked = api.inspector.states(&numbers);
    match tokio::time::timeout(api.answers.deadline, asked).await {
        Ok(Ok(states)) => Some(states),
        Ok(Err(_)) | Err(_) => None,
    }
}

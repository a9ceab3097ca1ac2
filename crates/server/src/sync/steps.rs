//! A page of changes, cut into steps of the inventory.

use caller_id_core::store::Changes;
use caller_id_core::{EngineNumber, InventoryStep, Policy, PoolId, Position};

/// The steps of a page, one after the other, of at most so many numbers; one where nothing changed. Each ends where the next
/// begins, so none undoes what another node brought meanwhile.
pub(super) fn steps(
    (from, to): (Position, Position),
    changes: &Changes,
    pools: Vec<(PoolId, Policy)>,
    most: usize,
) -> Vec<InventoryStep> {
    let mut steps = vec![InventoryStep {
        from,
        pools,
        to,
        ..InventoryStep::default()
    }];
    let mut begin = from;
    let pieces = changes.numbers.chunks(most);
    for (numbers, revisions) in pieces.zip(changes.revisions.chunks(most)) {
        let numbers_known = numbers.iter().map(EngineNumber::from).collect();
        let end = Position {
            since: revisions.last().copied().unwrap_or(to.since),
            after: numbers.last().map(|last| last.number),
            ..to
        };
        match steps.last_mut() {
            Some(step) if step.numbers.is_empty() => step.numbers = numbers_known,
            _ => steps.push(InventoryStep {
                from: begin,
                numbers: numbers_known,
                ..InventoryStep::default()
            }),
        }
        if let Some(step) = steps.last_mut() {
            step.to = end;
        }
        begin = end;
    }
    if let Some(last) = steps.last_mut() {
        last.to = to;
    }
    steps
}

#[cfg(test)]
mod tests {
    use caller_id_core::store::Revision;
    use caller_id_core::{Number, PhoneNumber};

    use super::*;

    fn changes(revisions: &[i64]) -> Changes {
        let number = |line: usize| PhoneNumber::from_e164_digits(13_125_550_100 + line as u64);
        let numbers = (0..revisions.len()).filter_map(number);
        Changes {
            numbers: numbers.map(Number::new).collect(),
            revisions: revisions
                .iter()
                .map(|revision| Revision(*revision))
                .collect(),
            ..Changes::default()
        }
    }

    fn at(since: i64, after: Option<u64>) -> Position {
        Position {
            store: Some(7),
            since: Revision(since),
            after: after.and_then(PhoneNumber::from_e164_digits),
        }
    }

    #[test]
    fn each_step_ends_where_the_next_begins_and_pools_come_first() {
        let (from, to) = (at(3, None), at(9, None));
        let pools = vec![(PoolId::default(), Policy::default())];
        let steps = steps((from, to), &changes(&[4, 4, 4, 6, 9]), pools, 2);
        let ends = [at(4, Some(13_125_550_101)), at(6, Some(13_125_550_103)), to];
        assert_eq!(steps.len(), 3);
        assert_eq!(steps[0].pools.len(), 1);
        let mut begin = from;
        for (step, end) in steps.iter().zip(ends) {
            assert_eq!((step.from, step.to), (begin, end));
            begin = end;
        }
        let sizes: Vec<usize> = steps.iter().map(|step| step.numbers.len()).collect();
        assert_eq!(sizes, [2, 2, 1]);
        assert!(steps[1..].iter().all(|step| step.pools.is_empty()));
    }

    #[test]
    fn where_no_number_changed_there_is_one_step() {
        let (from, to) = (at(3, None), at(4, None));
        let steps = steps((from, to), &changes(&[]), Vec::new(), 2);
        assert_eq!(steps.len(), 1);
        assert_eq!((steps[0].from, steps[0].to), (from, to));
    }
}

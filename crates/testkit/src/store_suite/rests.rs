//! Facts about rests, which end by themselves.

use caller_id_core::audit::AuditFilter;
use caller_id_core::listing::{NumberChange, NumberFilter, NumberPatch, NumberQuery, StatusKind};
use caller_id_core::store::OnDuplicate;
use caller_id_core::{Clock, Number, Status};

use super::DataSet;
use crate::builders::{number, somebody};

/// From that instant on the number is active for whoever looks, counts or changes; and for engines it is what was written.
pub async fn a_rest_ends_by_itself_wherever_one_looks(data: &mut dyn DataSet) {
    let store = data.open().await;
    let (inventory, by) = (&store.inventory, somebody());
    let until = store.clock.now().plus_ms(1_000);
    let resting = Number {
        status: Status::Resting(until),
        ..Number::new(number(312, 1))
    };
    let other = Number::new(number(312, 2));
    let both = vec![resting.clone(), other.clone()];
    let written = inventory.write_numbers(both, OnDuplicate::Fail, &by);
    written.await.unwrap();
    let of = |kind| NumberQuery {
        filter: NumberFilter {
            statuses: vec![kind],
            ..NumberFilter::default()
        },
        most: 10,
        ..NumberQuery::default()
    };
    let (active, rests) = (of(StatusKind::Active), of(StatusKind::Resting));
    for (ms, woken) in [(999, false), (1, true)] {
        store.clock.advance_ms(ms);
        let status = match woken {
            true => Status::Active,
            false => resting.status,
        };
        let counts = if woken { (2, 0) } else { (1, 1) };
        let row = inventory.number_row(resting.number).await.unwrap().unwrap();
        assert_eq!(row.number.status, status);
        let listed = inventory.list_numbers(&active).await.unwrap();
        assert_eq!(listed.len() as u64, counts.0);
        assert!(listed.iter().all(|row| row.number.status == Status::Active));
        assert_eq!(
            inventory.list_numbers(&rests).await.unwrap().len() as u64,
            counts.1
        );
        let counted = (
            inventory.count_matching(&active.filter).await.unwrap(),
            inventory.count_matching(&rests.filter).await.unwrap(),
        );
        assert_eq!(counted, counts);
        let groups = inventory.number_groups().await.unwrap();
        let rest = groups.iter().find_map(|group| group.rests_until);
        assert_eq!(rest, (!woken).then_some(until));
        let grouped = |kind| {
            let of = groups.iter().filter(|group| group.status == kind);
            of.map(|group| group.numbers).sum::<u64>()
        };
        assert_eq!(
            (grouped(StatusKind::Active), grouped(StatusKind::Resting)),
            counts
        );
        let kept = inventory.numbers(None, 10).await.unwrap();
        assert_eq!(kept[0].status, resting.status, "as it was written");
    }
    // What is changed is what people see, and it is told so.
    let pause = NumberChange::Patch(NumberPatch {
        status: Some(Status::Paused),
        ..NumberPatch::default()
    });
    let step = inventory.change_numbers(&rests.filter, &pause, None, 10, &by);
    assert_eq!(step.await.unwrap().matched, 0);
    let step = inventory.change_numbers(&active.filter, &pause, None, 10, &by);
    assert_eq!(step.await.unwrap().matched, 2);
    let entry = store
        .audit
        .newest(&AuditFilter::default(), None, 1)
        .await
        .unwrap();
    let before = entry[0].event.before.clone().unwrap();
    assert!(!before.contains("resting"), "{before}");
}

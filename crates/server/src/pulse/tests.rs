use async_trait::async_trait;
use caller_id_core::shared::BoardList;

use super::*;

/// What nodes told, by step and run; and whether it is away.
#[derive(Default)]
struct Wall {
    told: Mutex<HashMap<(i64, String), String>>,
    away: Mutex<bool>,
}

impl Wall {
    fn set_away(&self, away: bool) {
        *self.away.lock().expect("whole") = away;
    }

    fn reached(&self) -> Result<(), AllocatorError> {
        match *self.away.lock().expect("whole") {
            true => Err(AllocatorError::Stopped),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Board for Wall {
    async fn post(&self, _: BoardList, _: Vec<String>, _: usize) -> Result<(), AllocatorError> {
        self.reached()
    }

    async fn posted(&self, _: BoardList, _: usize) -> Result<Vec<String>, AllocatorError> {
        self.reached().map(|()| Vec::new())
    }

    async fn tell_counts(
        &self,
        node: &str,
        counts: &[(i64, String)],
    ) -> Result<(), AllocatorError> {
        self.reached()?;
        let mut told = self.told.lock().expect("whole");
        told.extend(
            counts
                .iter()
                .map(|(step, counts)| ((*step, node.to_owned()), counts.clone())),
        );
        Ok(())
    }

    async fn told_counts(
        &self,
        steps: Range<i64>,
    ) -> Result<Vec<Vec<(String, String)>>, AllocatorError> {
        self.reached()?;
        let told = self.told.lock().expect("whole");
        let of = |step: i64| {
            let of_step = told.iter().filter(move |((at, _), _)| *at == step);
            of_step.map(|((_, node), counts)| (node.clone(), counts.clone()))
        };
        Ok(steps.map(|step| of(step).collect()).collect())
    }
}

const NOW: Timestamp = Timestamp::from_ms(1_795_348_805_000);

fn sum(hour: &Hour, outcome: Outcome) -> u64 {
    hour.steps.iter().map(|step| step.outcome(outcome)).sum()
}

#[tokio::test]
async fn an_hour_is_shown_in_its_steps_and_no_more() {
    let pulse = Pulse::new(None);
    pulse.count(NOW, "allocated", Some(Rung::Overlay));
    pulse.count(NOW.plus_ms(-5_000), "allocated", Some(Rung::Any));
    pulse.count(NOW.plus_ms(-5_001), "repeated", Some(Rung::Any));
    pulse.count(NOW.plus_ms(-3_594_999), "exhausted", None);
    pulse.count(NOW.plus_ms(-3_600_000), "exhausted", None);
    pulse.count(NOW, "hung_up", None);
    pulse.count(NOW, "not_rotated", None);
    let hour = pulse.hour(NOW).await;
    assert!(hour.all_nodes);
    assert_eq!(hour.steps.len(), STEPS);
    assert_eq!(hour.begins, NOW.plus_ms(-3_595_000));
    let last = hour.steps[STEPS - 1];
    assert_eq!(last.outcome(Outcome::Allocated), 2);
    assert_eq!(last.outcome(Outcome::Invalid), 1);
    assert_eq!((last.rung(Rung::Overlay), last.rung(Rung::Any)), (1, 1));
    assert_eq!(hour.steps[STEPS - 2].outcome(Outcome::Repeated), 1);
    assert_eq!(hour.steps[STEPS - 2].rung(Rung::Any), 0);
    assert_eq!(hour.steps[0].outcome(Outcome::Exhausted), 1);
    assert_eq!(sum(&hour, Outcome::Exhausted), 1);
}

#[tokio::test]
async fn each_node_shows_the_sum_of_all_and_its_own_when_the_others_cannot_be_read() {
    let wall = Arc::new(Wall::default());
    let node = || Pulse::new(Some(wall.clone()));
    let (one, other) = (node(), node());
    for pulse in [&one, &other, &other] {
        pulse.count(NOW, "allocated", Some(Rung::Any));
    }
    other.tell(&*wall, NOW).await.expect("told");
    let hour = one.hour(NOW).await;
    assert_eq!((sum(&hour, Outcome::Allocated), hour.all_nodes), (3, true));
    // Its own are not counted twice.
    let hour = other.hour(NOW).await;
    assert_eq!(sum(&hour, Outcome::Allocated), 2);
    wall.set_away(true);
    other.count(NOW, "allocated", Some(Rung::Any));
    assert!(other.tell(&*wall, NOW).await.is_err());
    let hour = one.hour(NOW).await;
    assert_eq!((sum(&hour, Outcome::Allocated), hour.all_nodes), (1, false));
    // What was missed is told.
    wall.set_away(false);
    let later = NOW.plus_ms(20_000);
    other.tell(&*wall, later).await.expect("told");
    let hour = one.hour(later).await;
    assert_eq!((sum(&hour, Outcome::Allocated), hour.all_nodes), (4, true));
    assert!(other.changed(later).is_empty());
}

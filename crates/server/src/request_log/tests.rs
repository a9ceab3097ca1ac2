use async_trait::async_trait;

use super::*;

/// A board in memory, which may be away.
#[derive(Default)]
struct Wall {
    requests: Mutex<Vec<String>>,
    refusals: Mutex<Vec<String>>,
    away: Mutex<bool>,
}

impl Wall {
    fn set_away(&self, away: bool) {
        *self.away.lock().expect("whole") = away;
    }

    fn lines(&self, list: BoardList) -> &Mutex<Vec<String>> {
        match list {
            BoardList::Requests => &self.requests,
            BoardList::Refusals => &self.refusals,
        }
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
    async fn post(
        &self,
        list: BoardList,
        lines: Vec<String>,
        most: usize,
    ) -> Result<(), AllocatorError> {
        self.reached()?;
        let mut kept = self.lines(list).lock().expect("whole");
        kept.extend(lines);
        let over = kept.len().saturating_sub(most);
        kept.drain(..over);
        Ok(())
    }

    async fn posted(&self, list: BoardList, most: usize) -> Result<Vec<String>, AllocatorError> {
        self.reached()?;
        let kept = self.lines(list).lock().expect("whole");
        Ok(kept.iter().take(most).cloned().collect())
    }

    async fn tell_counts(&self, _: &str, _: &[(i64, String)]) -> Result<(), AllocatorError> {
        self.reached()
    }

    async fn told_counts(
        &self,
        _: std::ops::Range<i64>,
    ) -> Result<Vec<Vec<(String, String)>>, AllocatorError> {
        self.reached().map(|()| Vec::new())
    }
}

fn log(node: &str, board: Option<Arc<dyn Board>>) -> RequestLog {
    let masking = Masking {
        privacy: Privacy::Mask,
        salt: 0,
    };
    RequestLog::new((node.to_owned(), 3), masking, board)
}

fn asked(at: i64) -> Asked {
    Asked {
        at: Timestamp::from_ms(at),
        took: Duration::from_micros(410),
        client: Some(IpAddr::from([10, 0, 0, 7])),
        by: By::FastAgi("next-cid"),
        asker: Asker::Known,
        outcome: "allocated",
        status: None,
        call: AskedCall {
            destination: PhoneNumber::parse("13125551234").ok(),
            ..AskedCall::default()
        },
    }
}

fn times(lines: &[Line]) -> Vec<(String, String)> {
    let time = |line: &Line| {
        let at: Timestamp = line.at.parse().expect("an instant");
        (line.node.clone(), at.as_ms().to_string())
    };
    lines.iter().map(time).collect()
}

fn times_of(expected: &[(&str, i64)]) -> Vec<(String, String)> {
    let expected = expected.iter();
    expected
        .map(|(node, at)| ((*node).to_owned(), at.to_string()))
        .collect()
}

#[tokio::test]
async fn the_latest_are_kept_newest_first() {
    let log = log("a", None);
    for at in 1..=5 {
        log.note(asked(at));
    }
    let (lines, whole) = log.latest(usize::MAX).await;
    assert_eq!(times(&lines), times_of(&[("a", 5), ("a", 4), ("a", 3)]));
    assert!(whole);
    assert_eq!(lines[0].destination.as_deref(), Some("+1312555****"));
    assert_eq!(lines[0].took_ms, 0.41);
}

#[tokio::test]
async fn every_node_shows_what_all_were_asked() {
    let wall: Arc<Wall> = Arc::default();
    let (one, other) = (log("a", Some(wall.clone())), log("b", Some(wall.clone())));
    one.note(asked(1));
    other.note(asked(2));
    one.post(&*wall).await.expect("there");
    other.post(&*wall).await.expect("there");
    one.note(asked(3));
    let all = times_of(&[("a", 3), ("b", 2), ("a", 1)]);
    assert_eq!(times(&one.latest(usize::MAX).await.0), all);
    // What was not shown yet only its own node knows.
    assert_eq!(times(&other.latest(usize::MAX).await.0), all[1..]);
}

#[tokio::test]
async fn what_could_not_be_shown_is_shown_later() {
    let wall: Arc<Wall> = Arc::default();
    let one = log("a", Some(wall.clone()));
    wall.set_away(true);
    for at in 1..=5 {
        one.note(asked(at));
        assert!(one.post(&*wall).await.is_err());
    }
    let (lines, whole) = one.latest(usize::MAX).await;
    assert_eq!(times(&lines), times_of(&[("a", 5), ("a", 4), ("a", 3)]));
    assert!(!whole);
    wall.set_away(false);
    one.post(&*wall).await.expect("there");
    let other = log("b", Some(wall.clone()));
    let (lines, whole) = other.latest(usize::MAX).await;
    assert_eq!(times(&lines), times_of(&[("a", 5), ("a", 4), ("a", 3)]));
    assert!(whole);
}

fn refused(at: i64) -> Asked {
    Asked {
        outcome: "refused",
        asker: Asker::of("refused"),
        ..asked(at)
    }
}

#[tokio::test]
async fn what_anybody_asks_pushes_out_nothing_of_those_who_may_ask_on_no_node() {
    let wall: Arc<Wall> = Arc::default();
    let (one, other) = (log("a", Some(wall.clone())), log("b", Some(wall.clone())));
    one.note(asked(1));
    for at in 2..=50 {
        one.note(refused(at));
        one.post(&*wall).await.expect("there");
    }
    let expected = times_of(&[("a", 50), ("a", 1)]);
    assert_eq!(times(&one.latest(usize::MAX).await.0), expected);
    assert_eq!(times(&other.latest(usize::MAX).await.0), expected);
    for at in 51..=60 {
        one.note(asked(at));
    }
    // Nor do those who may ask push out what was refused.
    let expected = times_of(&[("a", 60), ("a", 59), ("a", 58), ("a", 50)]);
    assert_eq!(times(&one.latest(usize::MAX).await.0), expected);
    assert_eq!(
        times(&one.latest(1).await.0),
        times_of(&[("a", 60), ("a", 50)])
    );
}

//! From the tables of the reference service, in the forms they have.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use caller_id::app::App;
use caller_id::cli::serve_settings;
use caller_id::http::Peer;
use caller_id_core::{Clock, Limits, Rung, Status, SystemClock};
use caller_id_testkit::builders::{number, phone};

use crate::data::{self, Postgres, Sqlite, said, status};

const TABLES: &str = "
    CREATE TABLE caller_ids (
        caller_id VARCHAR(32) PRIMARY KEY, carrier VARCHAR(64), area_code VARCHAR(8), daily_limit INTEGER,
        hourly_limit INTEGER, last_used TIMESTAMPTZ DEFAULT now(), meta JSONB);
    CREATE TABLE reservations (
        id SERIAL PRIMARY KEY, caller_id VARCHAR(32) NOT NULL, reserved_until TIMESTAMPTZ NOT NULL,
        agent VARCHAR(64) NOT NULL, campaign VARCHAR(64) NOT NULL);";

fn flags<'a>(from: &'a str, to: &'a str) -> [(&'static str, &'a str); 2] {
    [("--from-reference", from), ("--to", to)]
}

#[tokio::test(flavor = "multi_thread")]
async fn its_numbers_and_reservations_become_ours_and_bad_rows_are_told() {
    let (reference, target) = (Postgres::new(), Sqlite::new());
    reference.psql(TABLES);
    reference.psql(
        "INSERT INTO caller_ids (caller_id, carrier, area_code, daily_limit, hourly_limit, meta) VALUES
            ('3125550100', 'carrierA', '312', 500, 50, '{}'),
            ('3125550101', NULL, '773', 0, NULL, '{\"note\": \"a, b\"}'),
            ('442079460958', '', '442', 10, 5, NULL),
            ('13125550100', 'the first again', '312', 500, 50, '{}'),
            ('12345', 'too short', '123', 500, 50, '{}'),
            ('3125550102', 'negative', '312', -1, 50, '{}'),
            ('3125550103', 'a list', '312', 1, 50, '[1]');
         INSERT INTO reservations (caller_id, reserved_until, agent, campaign) VALUES
            ('3125550100', now() - interval '1 hour', '1001', 'SOLAR'),
            ('3125550100', now() - interval '1 hour', '1001', 'SOLAR'),
            ('3125550999', now() - interval '40 days', '', 'ROOF'),
            ('garbage', now(), 'a', 'c'),
            ('3125550100', 'infinity', 'a', 'c'),
            ('3125550100', '0001-01-01', 'a', 'c');",
    );
    let report = tempfile::NamedTempFile::new().unwrap();
    let (from, to) = (reference.url(), target.url());
    let with_report = [("--report", report.path().to_str().unwrap())];
    let moved = data::migrate(&[&flags(&from, &to)[..], &with_report].concat());
    assert_eq!(status(&moved), 1, "{}", said(&moved));
    assert!(
        said(&moved).contains("7 rows of the reference could not be taken"),
        "{}",
        said(&moved)
    );
    let table = String::from_utf8_lossy(&moved.stdout);
    assert!(!table.contains("DIFFERENT"), "{table}");
    let report = std::fs::read_to_string(report.path()).unwrap();
    for told in [
        "12345,caller_ids: number `12345`",
        "13125550100,caller_ids: number +13125550100 is there twice",
        "caller_ids: daily_limit `-1` is no limit",
        "caller_ids: meta `[1]` is no JSON object",
        "4,garbage,reservations:",
        "reservations: reserved_until is empty or infinite",
        "reservations: its time 0000-",
    ] {
        assert!(report.replace('"', "").contains(told), "{told}: {report}");
    }
    let contents = target.contents().await;
    let [first, second, third] = &contents.numbers[..] else {
        panic!("three numbers expected, {:?}", contents.numbers);
    };
    assert_eq!(first.number, number(312, 100));
    assert_eq!(first.meta, None);
    assert_eq!(
        first.carrier.as_deref(),
        Some("carrierA"),
        "ten digits come first"
    );
    assert_eq!(second.limits, Limits::NONE);
    assert_eq!(second.area_code.map(|code| code.get()), Some(773));
    assert_eq!(second.meta, Some(serde_json::json!({"note": "a, b"})));
    assert_eq!((third.area_code, &third.carrier), (None, &None));
    assert_eq!(third.limits, Limits::new(10, 5));
    let [old, one, two] = &contents.history[..] else {
        panic!("three calls expected, {:?}", contents.history);
    };
    assert_eq!(old.record.number, phone("3125550999"));
    assert_eq!(old.record.agent, None);
    assert_ne!(one.record.id, two.record.id, "two calls of one instant");
    for past in [one, two] {
        let record = &past.record;
        assert_eq!(record.reserved_until.ms_since(record.at), 300_000);
        assert_eq!(
            record.campaign.as_ref().map(|id| id.as_str()),
            Some("SOLAR")
        );
        assert_eq!((record.rung, past.ended), (Rung::Any, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_run_adds_what_is_new_and_keeps_what_was_done_since() {
    let (reference, target) = (Postgres::new(), Postgres::new());
    reference.psql(TABLES);
    let later = |line: u32| {
        reference.psql(&format!(
            "INSERT INTO caller_ids VALUES ('312555{line}', 'A', '312', 500, 50, now(), '{{}}');
             INSERT INTO reservations (caller_id, reserved_until, agent, campaign)
                SELECT '312555{line}', now() - n * interval '7 minutes', 'a' || n, 'c' FROM generate_series(1, 9000) n"
        ))
    };
    later(1000);
    let (from, to) = (reference.url(), target.url());
    let moved = data::migrate(&flags(&from, &to));
    assert_eq!(status(&moved), 0, "{}", said(&moved));
    later(1001);
    target.psql(
        "INSERT INTO caller_id.pools VALUES ('mine', '{}'); UPDATE caller_id.numbers SET pool = 'mine', status = 'paused'",
    );
    let moved = data::migrate(&flags(&from, &to));
    assert_eq!(status(&moved), 0, "{}", said(&moved));
    let contents = target.contents().await;
    assert_eq!(contents.history.len(), 18_000);
    let kept: Vec<_> = contents
        .numbers
        .iter()
        .map(|row| (row.pool.as_str(), row.status))
        .collect();
    assert_eq!(
        kept,
        [("mine", Status::Paused), ("default", Status::Active)]
    );
}

/// Other versions keep more columns, or fewer, or of other types.
#[tokio::test(flavor = "multi_thread")]
async fn columns_may_be_missing_more_or_of_another_type() {
    let (reference, target) = (Postgres::new(), Sqlite::new());
    reference.psql(
        "CREATE TABLE caller_ids (id BIGSERIAL, caller_id TEXT, is_active INTEGER, daily_limit TEXT, colour TEXT);
         CREATE TABLE reservations (
            caller_id TEXT, reserved_at TIMESTAMP, reserved_until TIMESTAMP, to_number TEXT, agent TEXT);
         INSERT INTO caller_ids (caller_id, is_active, daily_limit) VALUES
            ('3125550100', 1, '7'), ('3125550101', 0, '8'), ('3125550102', NULL, 'many'), (NULL, 1, '9');
         INSERT INTO reservations VALUES
            ('3125550100', '2026-11-01 10:00:00.5', '2026-11-01 10:05:00', '+14155551234', 'a'),
            ('3125550100', NULL, '2026-11-01 10:05:00', 'nobody', NULL);",
    );
    let (from, to) = (reference.url(), target.url());
    let moved = data::migrate(&flags(&from, &to));
    assert_eq!(status(&moved), 1);
    assert!(
        said(&moved).contains("`caller_ids.colour`"),
        "{}",
        said(&moved)
    );
    assert!(
        said(&moved).contains("2 rows of the reference"),
        "{}",
        said(&moved)
    );
    let contents = target.contents().await;
    let statuses: Vec<_> = contents.numbers.iter().map(|row| row.status).collect();
    assert_eq!(statuses, [Status::Active, Status::Paused]);
    assert_eq!(contents.numbers[0].limits, Limits::new(7, 50));
    let [derived, known] = &contents.history[..] else {
        panic!("two calls expected, {:?}", contents.history);
    };
    assert_eq!(known.record.at.to_string(), "2026-11-01T10:00:00.500000Z");
    assert_eq!(known.record.destination, phone("+14155551234"));
    assert_eq!(derived.record.at.to_string(), "2026-11-01T10:00:00.000000Z");
    assert_eq!(derived.record.destination, derived.record.number);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_there_counts_here() {
    let (reference, target) = (Postgres::new(), Sqlite::new());
    reference.psql(TABLES);
    reference.psql(
        "INSERT INTO caller_ids VALUES ('3125550100', 'A', '312', 500, 2, now(), '{}');
         INSERT INTO reservations (caller_id, reserved_until, agent, campaign) VALUES
            ('3125550100', now() - interval '2 minutes', 'a', 'c'),
            ('3125550100', now() - interval '20 minutes', 'a', 'c')",
    );
    let moved = data::migrate(&flags(&reference.url(), &target.url()));
    assert_eq!(status(&moved), 0, "{}", said(&moved));
    let settings = serve_settings(&[("DATABASE_URL", &target.url())]).unwrap();
    let clock = std::sync::Arc::new(SystemClock::new());
    assert!(clock.now() > caller_id_core::Timestamp::ZERO);
    let app = App::open(&settings, clock).await.unwrap();
    let ask = Request::get("/next-cid?to=13125551212&campaign=c&agent=b");
    let answer = app
        .dispatch()
        .answer(
            ask.body(Body::empty()).unwrap(),
            Peer([127, 0, 0, 1].into()),
        )
        .await;
    assert_eq!(
        answer.status(),
        StatusCode::NOT_FOUND,
        "the hour's limit of 2 is used"
    );
    app.close().await.unwrap();
}

#[test]
fn a_database_of_something_else_is_told_from_one_of_the_reference() {
    let (other, target) = (Postgres::new(), Sqlite::new());
    let refused = data::migrate(&flags(&other.url(), &target.url()));
    assert_eq!(status(&refused), 2);
    assert!(
        said(&refused).contains("no database of the reference service"),
        "{}",
        said(&refused)
    );
    let reference = Postgres::new();
    reference.psql(TABLES);
    let url = reference.url();
    let refused = data::migrate(&[("--from", url.as_str()), ("--to", &target.url())]);
    assert_eq!(status(&refused), 2);
    assert!(
        said(&refused).contains("has no tables of caller-id"),
        "{}",
        said(&refused)
    );
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'caller_id'";
    assert_eq!(reference.psql(schemas), "0", "nothing is made in it");
}

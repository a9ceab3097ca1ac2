//! Rows that somebody put into the log by hand, and a log whose end was taken away.

use super::{Database, SUBJECTS, err, out};

/// Somebody puts a row in whose place is this, past what the table checks.
fn forged(database: &Database, place: &str) -> String {
    let free = match database {
        Database::Sqlite(_) => "PRAGMA ignore_check_constraints = ON;",
        Database::Postgres(..) => "ALTER TABLE audit DROP CONSTRAINT IF EXISTS audit_place_check;",
    };
    format!(
        "{free} INSERT INTO audit (place, at, author_kind, author, action, subject, link)
         SELECT {place}, at, author_kind, author, action, 'forged', link FROM audit WHERE place = 2"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_before_the_first_and_behind_the_last_are_found() {
    const BEFORE: &str = "an entry is before the first, whose place is 1";
    for database in Database::both(SUBJECTS).await {
        for place in ["0", "-7", "-9223372036854775807 - 1"] {
            database.sql(&forged(&database, place));
            let shown = if place.len() > 3 {
                "-9223372036854775808"
            } else {
                place
            };
            let line = format!("place {shown}: {BEFORE}");
            database.assert_broken("put in before", &["verify"], &line);
            let told = out(&database.run(&["doctor"]));
            assert!(
                told.contains(&format!("it does not hold at {line}")),
                "{told}"
            );
            let exported = out(&database.audit(&["export"]));
            assert_eq!(exported.matches("forged").count(), 1, "{exported}");
            database.sql("DELETE FROM audit WHERE place < 1");
        }
        database.sql(
            "UPDATE audit_head SET place = 4, link = (SELECT link FROM audit WHERE place = 4)",
        );
        let line = "place 5: the log ends at 4, and the entry is behind it";
        database.assert_broken("its end set back", &["verify"], line);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_place_before_the_first_can_be_written_by_accident() {
    for database in Database::both(SUBJECTS).await {
        let insert = "INSERT INTO audit (place, at, author_kind, author, action, subject, link)
            SELECT 0, at, author_kind, author, action, subject, link FROM audit WHERE place = 2";
        let refused = match &database {
            Database::Sqlite(folder) => {
                let path = folder.path().join("caller-id.db");
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.execute_batch(insert).unwrap_err().to_string()
            }
            Database::Postgres(server, name) => {
                let tried = "DO $$ BEGIN EXECUTE $i$SET search_path TO caller_id$i$;";
                let tried = format!("{tried} {insert}; EXCEPTION WHEN check_violation THEN CREATE TABLE caller_id.checked (); END $$;
                    DROP TABLE caller_id.checked");
                server.psql(name, &tried);
                "CHECK constraint failed".to_owned()
            }
        };
        assert!(refused.contains("CHECK constraint failed"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_end_nobody_knows_does_not_hold() {
    for database in Database::both(SUBJECTS).await {
        database.sql("DELETE FROM audit_head");
        let told = database.audit(&["verify"]);
        assert_eq!(told.status.code(), Some(1), "{}{}", out(&told), err(&told));
        let line = "the end of the audit log: the row of audit_head is missing";
        assert!(out(&told).contains("DOES NOT HOLD at place 7: "));
        assert!(out(&told).contains(line), "{}", out(&told));
        assert!(
            out(&told).contains("6 entries before it hold"),
            "{}",
            out(&told)
        );
        let told = out(&database.run(&["doctor"]));
        assert!(told.contains("the row of audit_head is missing"), "{told}");
    }
}

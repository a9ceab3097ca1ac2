//! Judges who may ask, and the log of what they changed.

use caller_id_core::Timestamp;
use caller_id_core::roles::ApiKey;

use super::{Finding, Part};
use crate::audit_chain::Found;

/// A key that ends within so many days should have a successor.
const SOON_DAYS: i64 = 14;
const DAY_MS: i64 = 86_400_000;
/// So many are named.
const NAMED: usize = 5;

/// The API keys, at `now`.
pub fn keys(part: Part, keys: &[ApiKey], now: Timestamp) -> Finding {
    let good: Vec<_> = keys.iter().filter(|key| key.is_good(now)).collect();
    let soon = now.plus_ms(SOON_DAYS * DAY_MS);
    let ends = good.iter().filter_map(|key| Some((key.expires_at?, key)));
    let mut ends: Vec<_> = ends.filter(|(end, _)| *end <= soon).collect();
    ends.sort_by_key(|(end, _)| *end);
    let count = good.len();
    if ends.is_empty() {
        let fact = match count {
            0 => "none".to_owned(),
            _ => format!("{count}, and none ends within {SOON_DAYS} days"),
        };
        return Finding::new(part, "API keys", fact);
    }
    let named = ends.iter().take(NAMED);
    let mut named: Vec<_> = named
        .map(|(end, key)| format!("`{}` at {end}", key.name))
        .collect();
    if ends.len() > NAMED {
        named.push(format!("{} more", ends.len() - NAMED));
    }
    let fact = format!(
        "{} of {count} end within {SOON_DAYS} days: {}",
        ends.len(),
        named.join(", ")
    );
    Finding::new(part, "API keys", fact).warning(
        "make keys in their place (POST /api/v1/keys) and give them to those who use these",
    )
}

/// The end of the audit log.
pub fn audit_log(part: Part, found: &Found) -> Finding {
    let about = "audit log";
    match found {
        Found::Whole { entries: 0, .. } => Finding::new(part, about, "no entries yet"),
        Found::Whole { entries, head } => Finding::new(
            part,
            about,
            format!("the last {entries} of {} entries hold", head.place),
        ),
        Found::Broken { place, why, .. } => Finding::new(
            part,
            about,
            format!("it does not hold at place {place}: {why}"),
        )
        .error(
            "find out who changed the database: caller-id audit verify tells the first such place",
        ),
    }
}

/// What is to say when neither can be read.
pub fn unread(part: Part, why: &str) -> Finding {
    Finding::new(part, "audit log", why).error("see that this user can read the database")
}

/// What is to say when what is there is damaged.
pub fn damaged(part: Part, why: &str) -> Finding {
    Finding::new(part, "contents", why).error(
        "keep the files as they are, move them away and restore a backup: caller-id restore FILE (docs/backup.md)",
    )
}

#[cfg(test)]
mod tests {
    use caller_id_core::Role;
    use caller_id_core::audit::Link;
    use caller_id_core::roles::KeyId;

    use super::*;
    use crate::audit_chain::Head;
    use crate::doctor::Verdict;

    const NOW: Timestamp = Timestamp::from_ms(1_795_348_800_000);

    fn key(name: &str, ends_in_days: Option<i64>) -> ApiKey {
        ApiKey {
            id: KeyId(name.to_owned()),
            name: name.to_owned(),
            role: Role::Viewer,
            hash: [0; 32],
            addresses: Vec::new(),
            campaigns: Vec::new(),
            created_at: NOW,
            created_by: "admin".to_owned(),
            expires_at: ends_in_days.map(|days| NOW.plus_ms(days * DAY_MS)),
            revoked_at: None,
            last_used_at: None,
        }
    }

    #[test]
    fn keys_that_end_soon_are_named_the_first_first_and_others_are_not() {
        let mut revoked = key("revoked", Some(1));
        revoked.revoked_at = Some(NOW);
        let mut all = vec![
            key("late", Some(14)),
            key("first", Some(1)),
            key("ever", None),
            key("far", Some(15)),
            key("gone", Some(0)),
            revoked,
        ];
        let told = keys(Part::Sqlite, &all, NOW);
        assert_eq!(told.verdict, Verdict::Warning);
        let expected =
            "2 of 4 end within 14 days: `first` at 2026-11-23T12:00:00.000000Z, `late` at ";
        assert!(told.fact.starts_with(expected), "{}", told.fact);
        all.retain(|key| key.expires_at.is_none());
        let told = keys(Part::Sqlite, &all, NOW);
        assert_eq!(told.fact, "1, and none ends within 14 days");
        assert_eq!(keys(Part::Sqlite, &[], NOW).verdict, Verdict::Ok);
        let many: Vec<_> = (0..9).map(|day| key("a", Some(day + 1))).collect();
        assert!(keys(Part::Sqlite, &many, NOW).fact.ends_with(", 4 more"));
    }

    #[test]
    fn a_log_that_does_not_hold_is_an_error() {
        let head = Head {
            place: 4_000,
            link: Link::START,
        };
        let whole = Found::Whole {
            entries: 1_000,
            head,
        };
        let told = audit_log(Part::Postgresql, &whole);
        assert_eq!(told.fact, "the last 1000 of 4000 entries hold");
        let broken = Found::Broken {
            entries: 0,
            place: 7,
            why: "the entry is missing".to_owned(),
        };
        let told = audit_log(Part::Postgresql, &broken);
        assert_eq!(told.verdict, Verdict::Error);
        assert!(told.fact.contains("place 7"), "{}", told.fact);
    }
}

//! Whether the state in Redis is of this database.

use std::fmt;

use caller_id_core::Position;
use caller_id_core::store::Revision;

/// Why it is of another one. Reads on after the name of who knows it: `redis knows ...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// It was made from a database with another identity.
    Identity {
        /// The identity of that one.
        known: i64,
        /// That of ours, if it has one.
        found: Option<i64>,
    },
    /// It knows more than our database has: ours is an older state of it, or not it at all.
    Revision {
        /// What it knows.
        known: Revision,
        /// Where ours is.
        found: Revision,
    },
}

impl Mismatch {
    /// What is wrong between what the engine knows and a database with this identity (if any yet) at this revision.
    pub fn between(known: Position, identity: Option<i64>, upto: Revision) -> Option<Self> {
        match known.store {
            Some(store) if identity != Some(store) => Some(Self::Identity {
                known: store,
                found: identity,
            }),
            _ if known.since > upto => Some(Self::Revision {
                known: known.since,
                found: upto,
            }),
            _ => None,
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity {
                known,
                found: Some(found),
            } => write!(f, "knows database {known:016x}, this is {found:016x}"),
            Self::Identity { known, found: None } => {
                write!(f, "knows database {known:016x}, this is a new one")
            }
            Self::Revision { known, found } => write!(
                f,
                "knows revision {} of the inventory, the database is at {}",
                known.0, found.0
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(store: Option<i64>, since: i64) -> Position {
        Position {
            store,
            since: Revision(since),
            after: None,
        }
    }

    #[test]
    fn a_state_belongs_to_the_database_it_was_made_from_as_far_as_that_has_come() {
        let between = |known, identity| Mismatch::between(known, identity, Revision(7));
        for state in [known(None, 0), known(None, 7), known(Some(1), 7)] {
            assert_eq!(between(state, Some(1)), None);
        }
        assert_eq!(between(known(None, 7), None), None);
        let told = |state, identity| between(state, identity).map(|why| why.to_string());
        for state in [known(None, 8), known(Some(1), 8)] {
            let why = told(state, Some(1)).expect("it knows more");
            assert_eq!(
                why,
                "knows revision 8 of the inventory, the database is at 7"
            );
        }
        for (found, end) in [(Some(2), "this is 0000000000000002"), (None, "a new one")] {
            let why = told(known(Some(1), 0), found).expect("it is another one");
            assert!(why.ends_with(end), "{why}");
        }
    }
}

//! Who keeps the first page up to date: so many of a node, of a person, and of a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// So many pages of a node are kept up to date at once; more are shown once and stay so.
const MOST: usize = 200;
/// So many of them may be one person's: others want to look, too.
const OF_PERSON_MOST: usize = 100;
/// So many of these may be of one session. A browser keeps six connections to a host, and needs one to go anywhere.
const OF_SESSION_MOST: usize = 5;

/// How many pages each keeps up to date.
#[derive(Debug, Default)]
pub(in crate::dashboard) struct Followers(Arc<Mutex<HashMap<Who, usize>>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    All,
    Person(String),
    Session(String),
}

impl Who {
    const fn most(&self) -> usize {
        match self {
            Self::All => MOST,
            Self::Person(_) => OF_PERSON_MOST,
            Self::Session(_) => OF_SESSION_MOST,
        }
    }
}

/// A page that is kept up to date, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: Vec<Who>,
    followers: Arc<Mutex<HashMap<Who, usize>>>,
}

impl Followers {
    /// A place for a page of whom `/api/v1/me` says that; none where there is none left.
    pub(super) fn place(&self, me: &Value) -> Option<Place> {
        let person = format!("{} {}", me["kind"], me["name"]);
        let mut of = vec![Who::All, Who::Person(person)];
        // It is the session's own, and nobody without a session has one.
        of.extend(
            me["csrf_token"]
                .as_str()
                .map(|own| Who::Session(own.to_owned())),
        );
        let mut taken = kept(&self.0);
        let is_free = |who: &Who| taken.get(who).is_none_or(|many| *many < who.most());
        if !of.iter().all(is_free) {
            return None;
        }
        for who in &of {
            *taken.entry(who.clone()).or_default() += 1;
        }
        drop(taken);
        let followers = self.0.clone();
        Some(Place { of, followers })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = kept(&self.followers);
        for who in &self.of {
            if let Some(many) = taken.get_mut(who) {
                *many -= 1;
                if *many == 0 {
                    taken.remove(who);
                }
            }
        }
    }
}

fn kept(followers: &Mutex<HashMap<Who, usize>>) -> MutexGuard<'_, HashMap<Who, usize>> {
    followers.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn me(name: &str, session: usize) -> Value {
        json!({"kind": "user", "name": name, "csrf_token": session.to_string()})
    }

    fn taken(followers: &Followers, who: &[Value]) -> Vec<Place> {
        who.iter().filter_map(|me| followers.place(me)).collect()
    }

    #[test]
    fn a_session_keeps_so_many_pages_up_to_date_and_no_more() {
        let followers = Followers::default();
        let mut places = taken(&followers, &vec![me("ann", 1); 9]);
        assert_eq!(places.len(), OF_SESSION_MOST);
        assert!(followers.place(&me("ann", 2)).is_some());
        places.pop();
        assert!(followers.place(&me("ann", 1)).is_some());
        drop(places);
        assert!(kept(&followers.0).is_empty(), "who left is forgotten");
    }

    #[test]
    fn one_person_cannot_take_all() {
        let followers = Followers::default();
        let ann: Vec<_> = (0..MOST).map(|session| me("ann", session)).collect();
        let of_ann = taken(&followers, &ann);
        assert_eq!(of_ann.len(), OF_PERSON_MOST);
        assert!(followers.place(&me("bob", MOST)).is_some());
        let key = json!({"kind": "key", "name": "ann", "csrf_token": null});
        assert!(followers.place(&key).is_some(), "another of that name");
        let others: Vec<_> = (0..MOST).map(|one| me(&one.to_string(), one)).collect();
        let of_others = taken(&followers, &others);
        assert_eq!(of_ann.len() + of_others.len(), MOST);
        assert!(followers.place(&me("eve", 9_999)).is_none());
    }
}

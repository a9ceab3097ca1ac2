//! The pools of a campaign while somebody puts them in order: nothing of it is saved yet.

use serde_json::{Value, json};

use crate::dashboard::form::Form;

/// What is filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    /// First choice first.
    pub(super) pools: Vec<String>,
    /// Most calls of one agent in a minute; empty: the global setting.
    pub(super) limit: Value,
}

/// What a button of the form asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Act {
    /// The draft is changed, and shown again.
    Arrange,
    /// It is saved.
    Save,
}

impl Draft {
    /// What a campaign says; of one that is not set up what holds for it.
    pub(super) fn of(campaign: &Value) -> Self {
        let pools = campaign["pools"].as_array().into_iter().flatten();
        Self {
            pools: pools
                .filter_map(|pool| Some(pool.as_str()?.to_owned()))
                .collect(),
            limit: campaign["agent_rate_limit_per_minute"].clone(),
        }
    }

    /// What was filled in, after what its button does.
    pub(super) fn read(form: &Form) -> (Self, Act) {
        let mut draft = Self {
            pools: form.all("pools").map(str::to_owned).collect(),
            limit: form.number("limit"),
        };
        let act = form.text("act");
        let act = draft.act(act, form.text("add"));
        (draft, act)
    }

    /// `up:solar`, `down:solar`, `remove:solar`, or `add` with a pool. All else saves.
    fn act(&mut self, act: &str, added: &str) -> Act {
        let (what, pool) = act.split_once(':').unwrap_or((act, ""));
        let place = self.pools.iter().position(|one| one == pool);
        match (what, place) {
            ("up", Some(place)) if place > 0 => self.pools.swap(place, place - 1),
            ("down", Some(place)) if place + 1 < self.pools.len() => {
                self.pools.swap(place, place + 1);
            }
            ("remove", Some(place)) => drop(self.pools.remove(place)),
            ("up" | "down" | "remove", _) => {}
            ("add", _) => {
                if !added.is_empty() && !self.pools.iter().any(|one| one == added) {
                    self.pools.push(added.to_owned());
                }
            }
            _ => return Act::Save,
        }
        Act::Arrange
    }

    /// As the API takes it.
    pub(super) fn body(&self) -> Value {
        json!({"pools": self.pools, "agent_rate_limit_per_minute": self.limit})
    }

    /// As the form shows it, where these pools exist. Each pool keeps its number whatever its place, so that a button that
    /// was pressed can be pressed again.
    pub(super) fn shown(&self, existing: &[Value]) -> Value {
        let names: Vec<&str> = existing
            .iter()
            .filter_map(|pool| pool["id"].as_str())
            .collect();
        let pools = self.pools.iter().map(|name| {
            let number = names.iter().position(|one| one == name);
            let pool = number.and_then(|number| existing.get(number));
            json!({
                "id": name, "number": number, "exists": pool.is_some(),
                "active": pool.map(|pool| &pool["numbers"]["active"]),
            })
        });
        let others = names
            .iter()
            .filter(|name| !self.pools.iter().any(|one| one == *name));
        json!({
            "pools": pools.collect::<Vec<_>>(), "others": others.collect::<Vec<_>>(), "limit": self.limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(act: &str, added: &str) -> (Vec<String>, Act) {
        let mut draft = Draft {
            pools: ["a", "b:x", "c"].map(str::to_owned).to_vec(),
            limit: Value::Null,
        };
        let act = draft.act(act, added);
        (draft.pools, act)
    }

    #[test]
    fn pools_move_up_and_down_and_stay_at_the_ends() {
        for (act, expected) in [
            ("up:b:x", ["b:x", "a", "c"]),
            ("down:b:x", ["a", "c", "b:x"]),
            ("up:a", ["a", "b:x", "c"]),
            ("down:c", ["a", "b:x", "c"]),
            ("up:none", ["a", "b:x", "c"]),
        ] {
            assert_eq!(
                after(act, ""),
                (expected.map(str::to_owned).to_vec(), Act::Arrange),
                "{act}"
            );
        }
    }

    #[test]
    fn pools_are_added_once_and_removed() {
        assert_eq!(after("add", "d").0, ["a", "b:x", "c", "d"]);
        assert_eq!(after("add", "a").0, ["a", "b:x", "c"]);
        assert_eq!(after("add", "").0, ["a", "b:x", "c"]);
        assert_eq!(after("remove:b:x", "").0, ["a", "c"]);
        assert_eq!(
            after("", "d"),
            (["a", "b:x", "c"].map(str::to_owned).to_vec(), Act::Save)
        );
    }

    #[test]
    fn the_form_offers_the_pools_that_are_not_in_it() {
        let draft = Draft::of(&json!({"pools": ["b", "gone"], "agent_rate_limit_per_minute": 3}));
        let existing = [
            json!({"id": "a"}),
            json!({"id": "b", "numbers": {"active": 7}}),
        ];
        let shown = draft.shown(&existing);
        assert_eq!(shown["others"], json!(["a"]));
        assert_eq!(
            (&shown["pools"][0]["active"], &shown["pools"][1]["exists"]),
            (&json!(7), &json!(false))
        );
        assert_eq!(
            draft.body(),
            json!({"pools": ["b", "gone"], "agent_rate_limit_per_minute": 3})
        );
    }
}

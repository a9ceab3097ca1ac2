//! The names of all keys in Redis. Nothing else in the project makes one; docs/redis-keys.md says what each holds.

/// The keys of one tenant: all begin with the same hash tag, so one script sees them all and Redis Cluster keeps them in
/// one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys {
    /// What all keys of the tenant begin with.
    pub(super) prefix: String,
}

/// The tenant when nobody named one.
pub const DEFAULT_TENANT: &str = "default";

const CLOCK: &str = "clock";
const POOLS: &str = "pools";
const JOURNAL: &str = "journal";
const INVENTORY: &str = "inventory";
const ASIDE: &str = "aside";
const DRAINER: &str = "drainer";
const REBUILD: &str = "rebuild";
const REPLAYED: &str = "replayed";
const NUMBER: &str = "n:";
const ORDER: &str = "o:";
const CALL: &str = "c:";
const AGENT: &str = "a:";
const SHOWN: &str = "s:";
const PROBE: &str = "probe";
const UNSETTLED: &str = "unsettled";
const SETTINGS: &str = "settings";
/// See [`caller_id_core::shared::BoardList`].
pub(super) const REQUESTS: &str = "requests";
/// The same.
pub(super) const REFUSALS: &str = "refusals";
const PULSE: &str = "p:";
const JOBS: &str = "jobs";
const JOB: &str = "j:";
const ALERTS: &str = "alerts";
const ALERTS_LEAD: &str = "alerts-lead";

/// By which name the scripts know each.
const NAMES: [(&str, &str); 23] = [
    ("CLOCK", CLOCK),
    ("POOLS", POOLS),
    ("JOURNAL", JOURNAL),
    ("INVENTORY", INVENTORY),
    ("ASIDE", ASIDE),
    ("DRAINER", DRAINER),
    ("REBUILD", REBUILD),
    ("REPLAYED", REPLAYED),
    ("PROBE", PROBE),
    ("SETTINGS", SETTINGS),
    ("REQUESTS", REQUESTS),
    ("REFUSALS", REFUSALS),
    ("PULSE", PULSE),
    ("JOBS", JOBS),
    ("JOB", JOB),
    ("ALERTS", ALERTS),
    ("ALERTS_LEAD", ALERTS_LEAD),
    ("UNSETTLED", UNSETTLED),
    ("NUMBER", NUMBER),
    ("ORDER", ORDER),
    ("CALL", CALL),
    ("AGENT", AGENT),
    ("SHOWN", SHOWN),
];

impl Keys {
    /// The keys of a tenant. Braces in its name would end the hash tag early; they are left out.
    pub(super) fn of(tenant: &str) -> Self {
        let tenant: String = tenant.chars().filter(|c| !"{}".contains(*c)).collect();
        let tenant = if tenant.is_empty() {
            DEFAULT_TENANT
        } else {
            &tenant
        };
        Self {
            prefix: format!("caller-id:{{{tenant}}}:"),
        }
    }

    /// What every script declares: clock, pools, journal. The others it makes from the prefix.
    pub(super) fn declared(&self) -> [String; 3] {
        [CLOCK, POOLS, JOURNAL].map(|name| format!("{}{name}", self.prefix))
    }

    /// What [`super::inspect`] writes and removes.
    pub(super) fn probe(&self) -> String {
        format!("{}{PROBE}", self.prefix)
    }

    /// What decides in which slot of a cluster the keys are.
    pub(super) fn hash_tag(&self) -> &str {
        let tag = self.prefix.split(['{', '}']).nth(1);
        tag.unwrap_or(&self.prefix)
    }

    /// The stream of what was allocated and how it ended.
    pub(super) fn journal(&self) -> String {
        format!("{}{JOURNAL}", self.prefix)
    }
}

/// The names as Lua knows them, for the head of each script.
pub(super) fn lua() -> String {
    NAMES
        .map(|(name, key)| format!("local KEY_{name} = '{key}'\n"))
        .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_documented() {
        let document = include_str!("../../../../docs/redis-keys.md");
        let prefix = Keys::of(DEFAULT_TENANT).prefix;
        for key in NAMES.map(|(_, key)| key) {
            assert!(
                document.contains(&format!("| `{key}")),
                "`{key}` stands in docs/redis-keys.md"
            );
        }
        assert!(
            document.contains(&prefix),
            "`{prefix}` stands in docs/redis-keys.md"
        );
    }

    #[test]
    fn all_keys_of_a_tenant_have_one_hash_tag() {
        assert_eq!(Keys::of("").prefix, "caller-id:{default}:");
        assert_eq!(Keys::of("a}{b").prefix, "caller-id:{ab}:");
        assert_eq!(Keys::of("a}{b").hash_tag(), "ab");
        for key in Keys::of("a").declared() {
            assert!(key.starts_with("caller-id:{a}:"), "{key}");
        }
    }
}

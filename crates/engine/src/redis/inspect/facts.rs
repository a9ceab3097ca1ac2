//! What a server tells of itself: `INFO` and `CONFIG GET`, as far as it may be asked.

use std::collections::HashMap;
use std::str::FromStr;

use caller_id_core::AllocatorError;
use redis::cmd;

use super::super::error::unavailable;
use super::super::link::field;
use super::{Disk, Flavour, Memory, Question};

/// The sections of `INFO` that are read.
const SECTIONS: [&str; 4] = ["server", "memory", "persistence", "replication"];
/// The settings that no section tells.
const SETTINGS: [&str; 2] = ["min-replicas-to-write", "appendfsync"];

/// Fields and settings by name; what was forbidden is missing.
pub(super) struct Facts {
    info: String,
    settings: HashMap<String, String>,
}

impl Facts {
    pub(super) async fn ask(server: &mut Question) -> Result<Self, AllocatorError> {
        let (mut info, mut settings) = (String::new(), HashMap::new());
        for section in SECTIONS {
            let answer = server.ask::<String>(cmd("INFO").arg(section)).await;
            info.push_str(&answer.map_err(unavailable)?.unwrap_or_default());
        }
        for setting in SETTINGS {
            let mut command = cmd("CONFIG");
            command.arg("GET").arg(setting);
            let answer = server.ask::<HashMap<String, String>>(&command).await;
            settings.extend(answer.map_err(unavailable)?.unwrap_or_default());
        }
        Ok(Self { info, settings })
    }

    pub(super) fn flavour(&self) -> Flavour {
        if self.text("dragonfly_version").is_some() {
            return Flavour::Other("dragonfly".to_owned());
        }
        match self.text("server_name").as_deref() {
            None | Some("redis") => Flavour::Redis,
            Some("valkey") => Flavour::Valkey,
            Some(other) => Flavour::Other(other.to_owned()),
        }
    }

    /// Valkey tells the version of Redis that it is compatible with, too: its own comes first.
    pub(super) fn version(&self) -> String {
        let names = ["valkey_version", "dragonfly_version", "redis_version"];
        let version = names.iter().find_map(|name| self.text(name));
        version.unwrap_or_default()
    }

    pub(super) fn memory(&self) -> Memory {
        Memory {
            used: self.number("used_memory"),
            most: self.number("maxmemory"),
            policy: self.text("maxmemory_policy"),
        }
    }

    pub(super) fn disk(&self) -> Disk {
        let ok = |name| self.text(name).map(|status| status == "ok");
        Disk {
            append_only: self.text("aof_enabled").map(|enabled| enabled == "1"),
            append_fsync: self.settings.get("appendfsync").cloned(),
            append_ok: ok("aof_last_write_status"),
            snapshot_ok: ok("rdb_last_bgsave_status"),
        }
    }

    pub(super) fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn setting_number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.settings.get(name)?.parse().ok()
    }

    fn text(&self, name: &str) -> Option<String> {
        field(&self.info, name).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(info: &str) -> Facts {
        Facts {
            info: info.to_owned(),
            settings: HashMap::new(),
        }
    }

    #[test]
    fn valkey_is_told_from_redis() {
        let redis = facts("redis_version:6.0.16\r\n");
        assert_eq!(
            (redis.flavour(), redis.version()),
            (Flavour::Redis, "6.0.16".to_owned())
        );
        let valkey = facts("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\n");
        assert_eq!(
            (valkey.flavour(), valkey.version()),
            (Flavour::Valkey, "8.1.1".to_owned())
        );
    }

    #[test]
    fn what_is_not_told_is_unknown() {
        let facts = facts("");
        assert_eq!(facts.memory(), Memory::default());
        assert_eq!(facts.disk(), Disk::default());
        assert_eq!(facts.version(), "");
    }
}

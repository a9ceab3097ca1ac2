//! Whether scripts run, and may write what ours write.

use caller_id_core::AllocatorError;
use redis::cmd;

use super::super::error::unavailable;
use super::super::keys::Keys;
use super::super::link::Told;
use super::{Question, Writes};

/// One key of each type, with every command that our scripts call, and nothing of it left in the end.
const PROBE: &str = "
local key = KEYS[1]
redis.call('TIME')
redis.call('DEL', key)
redis.call('SET', key, '1')
redis.call('PEXPIRE', key, 1000)
redis.call('GET', key)
redis.call('MGET', key)
redis.call('DEL', key)
redis.call('HSET', key, 'a', '1')
redis.call('HSETNX', key, 'a', '1')
redis.call('HGET', key, 'a')
redis.call('HMGET', key, 'a', 'b')
redis.call('HDEL', key, 'a')
redis.call('DEL', key)
redis.call('SADD', key, 'a')
redis.call('SMEMBERS', key)
redis.call('DEL', key)
redis.call('ZADD', key, 1, 'a')
redis.call('ZRANGE', key, 0, 0)
redis.call('ZSCAN', key, '0')
redis.call('ZREM', key, 'b')
redis.call('DEL', key)
redis.call('XADD', key, '*', 'a', '1')
redis.call('XRANGE', key, '-', '+', 'COUNT', 1)
redis.call('XLEN', key)
redis.call('XTRIM', key, 'MAXLEN', 1)
return redis.call('DEL', key)
";

/// Tries it.
pub(super) async fn probe(server: &mut Question, keys: &Keys) -> Result<Writes, AllocatorError> {
    let mut nothing = cmd("EVAL");
    nothing.arg("return 1").arg(0);
    if let Told::Refused(why) = server.tell::<i64>(&nothing).await.map_err(unavailable)? {
        return Ok(Writes::NoScripts(why));
    }
    let mut all = cmd("EVAL");
    all.arg(PROBE).arg(1).arg(keys.probe());
    let written = server.tell::<i64>(&all).await;
    Ok(match written.map_err(unavailable)? {
        Told::Answered(_) => Writes::Work,
        Told::Refused(why) => Writes::Refused(why),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands that a script calls.
    fn commands(script: &str) -> Vec<&str> {
        let calls = script.split("call('").skip(1);
        calls.filter_map(|rest| rest.split('\'').next()).collect()
    }

    #[test]
    fn every_command_of_our_scripts_is_tried_and_is_among_the_documented_rights() {
        let documented = include_str!("../../../../../docs/redis-keys.md");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/redis/scripts");
        for file in std::fs::read_dir(folder).unwrap() {
            let script = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for command in commands(&script) {
                assert!(
                    commands(PROBE).contains(&command),
                    "{command} is in the probe"
                );
                let right = format!("+{} ", command.to_lowercase());
                assert!(
                    documented.contains(&right),
                    "`{right}` stands in docs/redis-keys.md"
                );
            }
        }
    }
}

//! Judges a Redis.

use super::{Finding, Part, Verdict, bytes, clock, latency};
use crate::app::inspect::{Flavour, Mode, RedisInspection, Writes};

/// The oldest Redis that is worked with. Older ones lack exclusive ranges of streams.
const VERSION_LEAST: (u32, u32) = (6, 2);
/// So much of `maxmemory` in percent is near its end.
const MEMORY_NEAR_PERCENT: u64 = 80;
/// What a server says first that refuses to write whoever asks.
const STATES_THAT_REFUSE: [&str; 4] = ["NOREPLICAS", "OOM", "MISCONF", "READONLY"];
const VERSION: &str = "version";
const POLICY: &str = "maxmemory-policy";
const APPEND_ONLY: &str = "append only file";
const SCRIPTS: &str = "scripts";

/// All that is to say of it.
pub fn judge(redis: &RedisInspection) -> Vec<Finding> {
    vec![
        version(redis),
        policy(redis),
        memory(redis),
        append_only(redis),
        last_writes(redis),
        replicas(redis),
        scripts(redis),
        clock(Part::Redis, redis.clock_ahead_ms),
        latency(
            Part::Redis,
            redis.round_trip.median,
            redis.round_trip.longest,
        ),
    ]
}

/// What is to say when it is not reached.
pub fn away(why: &str) -> Finding {
    if let Some((why, advice)) = why.split_once(" -> ") {
        return finding("reached", why).error(advice);
    }
    finding("reached", why).error(
        "start it there, or correct REDIS_URL and REDIS_PASSWORD (REDIS_TLS_CA for certificates of your own)",
    )
}

/// Why a service must not start on it, if so: it would forget numbers, or its scripts would not run or lack a right.
pub fn refusal(redis: &RedisInspection) -> Option<Finding> {
    let refused = [version(redis), policy(redis), scripts(redis)];
    let mut refused = refused.into_iter().filter(|finding| match &redis.writes {
        // That passes: whoever runs it is at it, or the node waits.
        Writes::Refused(why) if finding.about == SCRIPTS => !is_by_state(why),
        _ => true,
    });
    refused.find(|finding| finding.verdict == Verdict::Error)
}

/// What a service tells of it at its start, if anything.
pub fn warning(redis: &RedisInspection) -> Option<Finding> {
    Some(append_only(redis)).filter(|_| redis.disk.append_only == Some(false))
}

fn finding(about: &'static str, fact: impl Into<String>) -> Finding {
    Finding::new(Part::Redis, about, fact)
}

fn version(redis: &RedisInspection) -> Finding {
    let name = match &redis.flavour {
        Flavour::Redis => "redis",
        Flavour::Valkey => "valkey",
        Flavour::Other(name) => name,
    };
    let mode = match redis.mode {
        Mode::Standalone => "",
        Mode::Cluster => ", of a cluster",
        Mode::Sentinel => ", named by sentinels",
    };
    let fact = format!("{name} {} at {}{mode}", redis.version, redis.address);
    match (&redis.flavour, numbers(&redis.version)) {
        (Flavour::Other(_), _) => finding(VERSION, fact)
            .warning("caller-id is tried with Redis and Valkey alone: take one of them"),
        (Flavour::Valkey, _) => finding(VERSION, fact),
        (Flavour::Redis, None) => finding(VERSION, format!("{fact}, which does not tell it"))
            .warning("see that it is Redis 6.2 or newer"),
        (Flavour::Redis, Some(version)) if version < VERSION_LEAST => {
            finding(VERSION, format!("{fact} is too old"))
                .error("install Redis 6.2 or newer, or Valkey")
        }
        (Flavour::Redis, Some(_)) => finding(VERSION, fact),
    }
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn policy(redis: &RedisInspection) -> Finding {
    match redis.memory.policy.as_deref() {
        Some(policy @ "noeviction") => finding(POLICY, policy),
        Some(policy) => {
            let when = match redis.memory.most {
                Some(0) => ", as soon as somebody sets maxmemory",
                _ => "",
            };
            finding(
                POLICY,
                format!("{policy} drops keys{when}: uses and reservations would be forgotten, and numbers given out twice"),
            )
            .error(
                "CONFIG SET maxmemory-policy noeviction, and in redis.conf: maxmemory-policy noeviction",
            )
        }
        None => finding(POLICY, "the server does not tell it")
            .warning("see that it is noeviction: any other forgets numbers that are in use"),
    }
}

fn memory(redis: &RedisInspection) -> Finding {
    let about = "memory";
    let Some(used) = redis.memory.used else {
        return finding(about, "the server does not tell");
    };
    let most = redis.memory.most.filter(|most| *most > 0);
    let Some(most) = most else {
        return finding(about, format!("{} used, no maxmemory", bytes(used)));
    };
    let found = finding(
        about,
        format!("{} of {} (maxmemory) used", bytes(used), bytes(most)),
    );
    let advice = "raise maxmemory: at its end no number is handed out. A number takes about 430 bytes, an event that waits \
                  for the database 150";
    let full = matches!(&redis.writes, Writes::Refused(why) if why.contains("OOM"));
    match used.saturating_mul(100) < most.saturating_mul(MEMORY_NEAR_PERCENT) {
        _ if used >= most || full => found.error(advice),
        true => found,
        false => found.warning(advice),
    }
}

fn append_only(redis: &RedisInspection) -> Finding {
    let about = APPEND_ONLY;
    match (redis.disk.append_only, redis.disk.append_fsync.as_deref()) {
        (Some(true), Some("always")) => finding(about, "written through before each answer"),
        (Some(true), Some("no")) => finding(
            about,
            "written through when the system likes: a loss of power forgets half a minute and more",
        )
        .warning("appendfsync everysec, or always"),
        (Some(true), Some(when)) => finding(
            about,
            format!("written through {when}: a loss of power forgets the last second or two, but for what nodes that go on remember"),
        ),
        (Some(true), None) => finding(about, "kept; the server does not tell appendfsync"),
        (Some(false), _) => finding(
            about,
            "none: when Redis ends, what waits in it for the database is lost, but for what nodes that go on remember",
        )
        .warning("CONFIG SET appendonly yes, and in redis.conf: appendonly yes"),
        (None, _) => finding(about, "the server does not tell whether it keeps one")
            .warning("see that it does (appendonly yes), or know what a loss costs: docs/cluster.md"),
    }
}

fn last_writes(redis: &RedisInspection) -> Finding {
    let about = "writes to disk";
    if redis.disk.append_ok == Some(false) {
        return finding(
            about,
            "the last to the append only file failed: Redis writes nothing until one goes well",
        )
        .error("see Redis's log: its disk is full, or not its own");
    }
    if redis.disk.snapshot_ok == Some(false) {
        return finding(
            about,
            "the last snapshot failed: as it is usually set up, Redis writes nothing until one goes well",
        )
        .error("see Redis's log: its disk is full, or it could not fork (vm.overcommit_memory = 1)");
    }
    finding(about, "none failed")
}

fn replicas(redis: &RedisInspection) -> Finding {
    let about = "replicas";
    let Some(replicas) = redis.replicas else {
        return finding(about, "the server does not tell");
    };
    let fact = match redis.min_replicas_to_write {
        Some(least) => format!("{replicas}, min-replicas-to-write {least}"),
        None => replicas.to_string(),
    };
    let found = finding(about, fact);
    match redis.min_replicas_to_write {
        Some(least) if least > replicas => {
            found.error("Redis writes nothing until so many follow it: start them")
        }
        Some(0) if replicas > 0 => found.warning(
            "min-replicas-to-write 1 (CONFIG SET, and redis.conf of each): a master that is cut off would go on handing out \
             numbers while another does",
        ),
        _ if replicas == 0 && redis.mode != Mode::Standalone => {
            found.warning("add a replica: nobody can take over")
        }
        _ => found,
    }
}

fn scripts(redis: &RedisInspection) -> Finding {
    let (why, fact) = match &redis.writes {
        Writes::Work => return finding(SCRIPTS, "they run, and write the tenant's keys"),
        Writes::Forbidden(commands) => {
            let fact = format!("this user may not run {}", commands.join(", "));
            let rights: Vec<_> = commands.iter().map(|name| format!("+{name}")).collect();
            return finding(SCRIPTS, fact).error(format!(
                "ACL SETUSER <the user of REDIS_URL> {}, and the same where its rights are kept; all that it needs stand in \
                 docs/redis-keys.md",
                rights.join(" ")
            ));
        }
        Writes::NoScripts(why) => (why, format!("they do not run: {why}")),
        Writes::Refused(why) => (why, format!("they may not write the tenant's keys: {why}")),
    };
    finding(SCRIPTS, fact).error(match is_by_state(why) {
        true => "Redis writes nothing as it is now: see what else is told of it here, and its log",
        false => "give this user the rights that stand in docs/redis-keys.md (ACL)",
    })
}

/// Whether it refuses to write whoever asks.
fn is_by_state(why: &str) -> bool {
    STATES_THAT_REFUSE.iter().any(|state| why.contains(state))
}

#[cfg(test)]
#[path = "redis/tests.rs"]
mod tests;

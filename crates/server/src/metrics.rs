//! What programs measure: every metric of the service, by name.

use caller_id_core::shared::Lag;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;

const BUILD_INFO: &str = "caller_id_build_info";
const SERVING: &str = "caller_id_serving";
const STORE_UP: &str = "caller_id_store_up";
const REDIS_UP: &str = "caller_id_redis_up";
const REDIS_UNFIT: &str = "caller_id_redis_unfit";
const OUTBOX_EVENTS: &str = "caller_id_outbox_events";
const OUTBOX_OLDEST: &str = "caller_id_outbox_oldest_seconds";
const SIGN_IN_FAILURES: &str = "caller_id_sign_in_failures_total";
const OUTBOX_LIMIT: &str = "caller_id_outbox_limit";
const OUTBOX_ASIDE: &str = "caller_id_outbox_aside";

/// How the service is at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Whether numbers are handed out.
    pub serving: bool,
    /// Whether the store can commit.
    pub store: bool,
    /// Whether the state in Redis is there and whole; `None`: there is no Redis.
    pub redis: Option<bool>,
    /// Whether Redis is set as it must not be.
    pub unfit: bool,
    /// What waits in Redis for the store, as far as known.
    pub lag: Option<Lag>,
    /// How many wrong tokens and keys were given since the start.
    pub sign_in_failures: u64,
}

impl Moment {
    /// The text that Prometheus reads (exposition format 0.0.4).
    pub fn text(&self) -> String {
        let recorder = PrometheusBuilder::new().build_recorder();
        with_local_recorder(&recorder, || self.record());
        recorder.handle().render()
    }

    fn record(&self) {
        let engine = if self.redis.is_some() {
            "redis"
        } else {
            "memory"
        };
        describe_gauge!(
            BUILD_INFO,
            "The version, and where the hot state is; always 1"
        );
        gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION"), "engine" => engine).set(1);
        describe_gauge!(SERVING, "Whether numbers are handed out (1) or not (0)");
        gauge!(SERVING).set(u8::from(self.serving));
        describe_gauge!(STORE_UP, "Whether the store can commit (1) or not (0)");
        gauge!(STORE_UP).set(u8::from(self.store));
        describe_counter!(
            SIGN_IN_FAILURES,
            "Wrong tokens and keys that were given since the start"
        );
        counter!(SIGN_IN_FAILURES).absolute(self.sign_in_failures);
        if let Some(redis) = self.redis {
            describe_gauge!(
                REDIS_UP,
                "Whether the state in Redis is there and whole (1) or not (0)"
            );
            gauge!(REDIS_UP).set(u8::from(redis));
            describe_gauge!(
                REDIS_UNFIT,
                "Whether Redis is set as it must not be (1), as with a maxmemory-policy that drops keys, or not (0)"
            );
            gauge!(REDIS_UNFIT).set(u8::from(self.unfit));
        }
        if let Some(lag) = self.lag {
            describe_gauge!(
                OUTBOX_EVENTS,
                Unit::Count,
                "Events that wait in Redis for the store"
            );
            gauge!(OUTBOX_EVENTS).set(lag.events as f64);
            describe_gauge!(
                OUTBOX_OLDEST,
                Unit::Seconds,
                "For how long the oldest of them waits"
            );
            gauge!(OUTBOX_OLDEST).set(lag.oldest_ms as f64 / 1_000.0);
            describe_gauge!(
                OUTBOX_LIMIT,
                Unit::Count,
                "With so many, no number is handed out"
            );
            gauge!(OUTBOX_LIMIT).set(lag.most as f64);
            describe_gauge!(
                OUTBOX_ASIDE,
                Unit::Count,
                "Events that could not be read: set aside, and in no history"
            );
            gauge!(OUTBOX_ASIDE).set(lag.aside as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<&str> {
        let lines = text.lines();
        lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect()
    }

    #[test]
    fn a_node_of_a_cluster_tells_what_waits() {
        let text = Moment {
            serving: true,
            store: false,
            redis: Some(true),
            unfit: true,
            lag: Some(Lag {
                events: 1_234,
                oldest_ms: 2_500,
                most: 5_000_000,
                aside: 3,
            }),
            sign_in_failures: 3,
        }
        .text();
        let mut found = values(&text);
        found.sort_unstable();
        let version = env!("CARGO_PKG_VERSION");
        let info = format!("caller_id_build_info{{version=\"{version}\",engine=\"redis\"}} 1");
        assert_eq!(
            found,
            [
                &*info,
                "caller_id_outbox_aside 3",
                "caller_id_outbox_events 1234",
                "caller_id_outbox_limit 5000000",
                "caller_id_outbox_oldest_seconds 2.5",
                "caller_id_redis_unfit 1",
                "caller_id_redis_up 1",
                "caller_id_serving 1",
                "caller_id_sign_in_failures_total 3",
                "caller_id_store_up 0",
            ]
        );
        for name in [OUTBOX_EVENTS, SERVING] {
            assert!(text.contains(&format!("# HELP {name} ")), "{text}");
        }
    }

    #[test]
    fn a_service_alone_tells_nothing_of_redis() {
        let text = Moment {
            serving: false,
            store: true,
            redis: None,
            unfit: false,
            lag: None,
            sign_in_failures: 0,
        }
        .text();
        assert_eq!(values(&text).len(), 4, "{text}");
        assert!(text.contains("engine=\"memory\""), "{text}");
    }
}

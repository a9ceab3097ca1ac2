//! The names, what they mean, and which labels they have.

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until the process ends.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often something took how long.
    Histogram,
}

impl Kind {
    /// The word of the exposition format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric.
#[derive(Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it is counted in.
    pub unit: &'static str,
    /// Its labels, in their order.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
    /// Where or when it is there; empty: always.
    pub when: &'static str,
}

macro_rules! families {
    ($($constant:ident = $kind:ident $name:literal in $unit:literal by [$($label:literal),*] $(when $when:literal)? : $help:literal;)*) => {
        $(pub(super) const $constant: Family = Family {
            name: $name,
            kind: Kind::$kind,
            unit: $unit,
            labels: &[$($label),*],
            help: $help,
            when: concat!($($when)?),
        };)*

        /// Every metric, in the order of the page.
        pub const FAMILIES: &[Family] = &[$($constant),*];
    };
}

families! {
    BUILD_INFO = Gauge "caller_id_build_info" in "1" by ["version", "engine", "store"]:
        "The version, where the hot state is (memory or redis) and which store (sqlite or postgres); always 1";
    SERVING = Gauge "caller_id_serving" in "0 or 1" by []:
        "Whether numbers are handed out (1) or not (0)";
    STORE_UP = Gauge "caller_id_store_up" in "0 or 1" by []:
        "Whether the store can commit (1) or not (0)";
    REDIS_UP = Gauge "caller_id_redis_up" in "0 or 1" by [] when "with Redis":
        "Whether the state in Redis is there and whole (1) or not (0)";
    REDIS_UNFIT = Gauge "caller_id_redis_unfit" in "0 or 1" by [] when "with Redis":
        "Whether Redis is set as it must not be (1), as with a maxmemory-policy that drops keys, or not (0)";
    REQUESTS = Counter "caller_id_requests_total" in "requests" by ["outcome"]:
        "Requests for numbers to this node, over HTTP and FastAGI, by what became of them: allocated, repeated (the call had asked before), exhausted (no number was free), agent_limited, unavailable (nothing could be handed out), refused (who asked may not), invalid (what was asked cannot be understood, or is never rotated)";
    ALLOCATIONS = Counter "caller_id_allocations_total" in "allocations" by ["pool", "rung"] when "once there was one":
        "Numbers that this node handed out, by pool and by how they were chosen: sticky, area_code, overlay, region, any. The first 64 pools have labels of their own, the rest is `other`";
    POOL_NUMBERS = Gauge "caller_id_pool_numbers" in "numbers" by ["pool", "state"] when "unless they cannot be counted in time":
        "How the numbers of each pool stand, of all nodes together: eligible, reserved (in a call), cooling (between two calls), limited (used as often as an hour or a day allows), resting (put to rest), paused, retired. Counted at most once a second, and some seconds old where there are many. The first 64 pools have labels of their own, the rest is `other`";
    POOL_INACTIVE = Gauge "caller_id_pool_inactive" in "pools" by ["pool"] when "unless they cannot be counted in time":
        "Whether a pool has no active number though a campaign has no other pool with one (1), or not (0); of `other`, how many have none";
    HTTP_DURATION = Histogram "caller_id_http_request_duration_seconds" in "seconds" by ["method", "route", "status"] when "once there was one":
        "How long answers over HTTP took to begin, by method, template of the route (`none`: there is none) and class of the status (2xx, 4xx, 5xx)";
    FASTAGI_DURATION = Histogram "caller_id_fastagi_dialog_duration_seconds" in "seconds" by ["script", "ended"] when "once there was one":
        "How long dialogs with Asterisk took once their request was there, by script (next-cid, call-result, other) and by how they ended: answered, deadline (AGI_DEADLINE_MS passed), hung_up, cut_off";
    COMMIT_DURATION = Histogram "caller_id_commit_duration_seconds" in "seconds" by []:
        "How long commits of allocations and ends to the store took, those that failed included";
    COMMIT_ERRORS = Counter "caller_id_commit_errors_total" in "commits" by []:
        "Commits that failed";
    COMMIT_EVENTS = Counter "caller_id_commit_events_total" in "events" by []:
        "Allocations, ends and results that were committed";
    COMMIT_WAITING = Gauge "caller_id_commit_waiting_events" in "events" by [] when "without Redis":
        "Events in this process that wait for the next commit";
    JOURNAL_EVENTS = Gauge "caller_id_journal_events" in "events" by [] when "with SQLite":
        "Events that are committed and not yet moved into history";
    JOURNAL_OLDEST = Gauge "caller_id_journal_oldest_seconds" in "seconds" by [] when "with SQLite":
        "How old the oldest of them is";
    JOURNAL_LIMIT = Gauge "caller_id_journal_limit_events" in "events" by [] when "with SQLite":
        "With so many, no number is handed out";
    OUTBOX_EVENTS = Gauge "caller_id_outbox_events" in "events" by [] when "with Redis":
        "Events that wait in Redis for the store";
    OUTBOX_OLDEST = Gauge "caller_id_outbox_oldest_seconds" in "seconds" by [] when "with Redis":
        "For how long the oldest of them waits";
    OUTBOX_LIMIT = Gauge "caller_id_outbox_limit" in "events" by [] when "with Redis":
        "With so many, no number is handed out";
    OUTBOX_ASIDE = Gauge "caller_id_outbox_aside" in "events" by [] when "with Redis":
        "Events that could not be read: set aside, and in no history";
    REDIS_DURATION = Histogram "caller_id_redis_call_duration_seconds" in "seconds" by [] when "with Redis":
        "How long Redis took to answer scripts and commands of this node, those that got no answer included";
    REDIS_ERRORS = Counter "caller_id_redis_errors_total" in "calls" by [] when "with Redis":
        "Scripts and commands that got no answer from Redis, or a refusal";
    POSTGRES_DURATION = Histogram "caller_id_postgres_work_duration_seconds" in "seconds" by [] when "with PostgreSQL":
        "How long work of this node in PostgreSQL took, the wait for a connection included: a commit, a page of a list, a change";
    POSTGRES_ERRORS = Counter "caller_id_postgres_errors_total" in "pieces of work" by [] when "with PostgreSQL":
        "Work that failed in PostgreSQL";
    SIGN_IN_FAILURES = Counter "caller_id_sign_in_failures_total" in "attempts" by []:
        "Wrong tokens and keys that were given since the start";
    SESSIONS = Gauge "caller_id_sessions" in "sessions" by []:
        "People who are signed in with a browser and asked this node for something in the last five minutes";
    LIVE_PAGES = Gauge "caller_id_live_pages" in "pages" by []:
        "Pages of the dashboard that this node keeps up to date now (server-sent events)";
    ALERTS = Counter "caller_id_alerts_total" in "alerts" by ["outcome"]:
        "Alerts for ALERT_WEBHOOK_URL by what became of them: delivered, failed (the receiver could not be reached, or failed, until there was no more time for it), refused (by the receiver), dropped (too many waited)";
    ALERT_RETRIES = Counter "caller_id_alert_retries_total" in "tries" by []:
        "Tries to deliver an alert that failed and were to be made again";
    ALERTS_WAITING = Gauge "caller_id_alerts_waiting" in "alerts" by []:
        "Alerts that wait for the receiver, 64 at most";
    LOG_MESSAGES = Counter "caller_id_log_messages_total" in "messages" by ["level"]:
        "Errors and warnings that were logged (level: error, warn), where LOG_LEVEL lets them";
    LOG_DROPPED = Counter "caller_id_log_lines_dropped_total" in "lines" by []:
        "Lines that reached no file in LOG_DIR: the disk was full, or slower than the log";
    TRACES_FAILED = Counter "caller_id_trace_exports_failed_total" in "batches" by []:
        "Batches of traces that OTEL_EXPORTER_OTLP_ENDPOINT did not take";
    PROCESS_CPU = Counter "process_cpu_seconds_total" in "seconds" by [] when "on Linux":
        "Time on processors";
    PROCESS_MEMORY = Gauge "process_resident_memory_bytes" in "bytes" by [] when "on Linux":
        "Memory of the machine that the process holds";
    PROCESS_FDS = Gauge "process_open_fds" in "files" by [] when "on Linux":
        "Files and connections that are open";
    PROCESS_MAX_FDS = Gauge "process_max_fds" in "files" by [] when "on Linux":
        "As many may be open";
    PROCESS_START = Gauge "process_start_time_seconds" in "seconds" by [] when "on Linux":
        "When the process started, in seconds since 1970";
}

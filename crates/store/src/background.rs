//! Threads that leave the processor to calls.
//!
//! A thread that wakes up waits until one of those that work has used up its time slice, some milliseconds: several times as
//! long as a whole call takes. What can wait says so here. Where the system forbids it, or knows no such thing, the thread
//! works as it is.

use std::sync::Arc;
#[cfg(target_os = "linux")]
use std::sync::{Mutex, Once, PoisonError};
use std::thread::JoinHandle;

#[cfg(target_os = "linux")]
use thread_priority::{
    Error, NormalThreadSchedulePolicy, ThreadId, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Steps back: this thread gets a tenth of the share that others get, for the rest of its life.
pub fn step_back() {
    #[cfg(target_os = "linux")]
    {
        /// A tenth of the share of the others.
        const NICE: i32 = 10;
        static TOLD: Once = Once::new();
        // On Linux the priority is the thread's own.
        if let Err(error) = rustix::process::setpriority_process(None, NICE) {
            TOLD.call_once(|| tracing::debug!(%error, "a thread may not step back"));
        }
    }
}

/// Steps aside: this thread works where nobody else wants to, and stops at once when somebody does. On a machine that is
/// busy throughout it hardly gets on. It must hold nothing that a call waits for; what others wait for is done with the right to be called back.
pub fn step_aside() {
    #[cfg(target_os = "linux")]
    {
        static TOLD: Once = Once::new();
        let idle = NormalThreadSchedulePolicy::Idle;
        if let Err(error) = set_policy(thread_native_id(), idle) {
            TOLD.call_once(|| tracing::debug!(?error, "a thread may not step aside"));
        }
    }
}

#[cfg(target_os = "linux")]
fn set_policy(thread: ThreadId, policy: NormalThreadSchedulePolicy) -> Result<(), Error> {
    // The idle policy has no other. With the usual one it makes the calling thread as nice as can be, not `thread`.
    let least = ThreadPriority::Min;
    set_thread_priority_and_policy(thread, least, ThreadSchedulePolicy::Normal(policy))
}

/// Whether a thread of this process that stepped aside can be called back: a right that a process has as root, or by its
/// limit of niceness (`LimitNICE=+0`).
pub(crate) fn may_come_back() -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, getpriority_process, getrlimit};
        use rustix::thread::{CapabilitySet, capabilities};
        // The limit counts the other way round: 20 is the usual niceness, 1 the least right to the processor.
        let limit = getrlimit(Resource::Nice).current.unwrap_or(u64::MAX);
        let own = getpriority_process(None).map_or(20, |nice| 20 - i64::from(nice));
        let by_limit = own.max(20).unsigned_abs() <= limit;
        let by_right = || {
            capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_NICE))
        };
        by_limit || by_right()
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// One piece of work that is done aside, and can be called back when it holds for too long what others wait for.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    #[cfg(target_os = "linux")]
    at: Mutex<At>,
}

/// A thread is called back so many times, with so long between.
#[cfg(target_os = "linux")]
const CALLS: u32 = 5;
#[cfg(target_os = "linux")]
const BETWEEN_CALLS: std::time::Duration = std::time::Duration::from_millis(20);

/// How far a piece of work is.
#[cfg(target_os = "linux")]
#[derive(Debug, Default)]
enum At {
    /// Not begun.
    #[default]
    Nothing,
    /// This thread does it aside.
    Work(ThreadId),
    /// It is done, or was called back before it began.
    Over,
}

impl Aside {
    /// Steps aside and does the work.
    pub(crate) fn work<R>(&self, work: impl FnOnce() -> R) -> R {
        let _at_it = AtIt::begin(self);
        work()
    }

    /// Makes its thread one like all others, if it is at it. That is done by a thread that does nothing else.
    pub(crate) fn call_back(self: Arc<Self>) -> std::io::Result<JoinHandle<()>> {
        let calling = move || {
            // It may be about to step aside, which would come after the first call.
            #[cfg(target_os = "linux")]
            for _ in 0..CALLS {
                let mut at = self.at();
                match *at {
                    At::Nothing => *at = At::Over,
                    // It cannot end meanwhile: it would have to say so first.
                    At::Work(thread) => {
                        if let Err(error) = set_policy(thread, NormalThreadSchedulePolicy::Other) {
                            tracing::debug!(?error, "a thread stays aside");
                        }
                    }
                    At::Over => break,
                }
                drop(at);
                std::thread::sleep(BETWEEN_CALLS);
            }
        };
        std::thread::Builder::new()
            .name("call back".to_owned())
            .spawn(calling)
    }

    #[cfg(target_os = "linux")]
    fn at(&self) -> std::sync::MutexGuard<'_, At> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives, its thread does.
struct AtIt<'a>(&'a Aside);

impl<'a> AtIt<'a> {
    fn begin(aside: &'a Aside) -> Self {
        #[cfg(target_os = "linux")]
        {
            let mut at = aside.at();
            let is_called = matches!(*at, At::Over);
            if !is_called {
                *at = At::Work(thread_native_id());
            }
            // Let go before it steps aside: whoever calls it back would wait for it.
            drop(at);
            if !is_called {
                step_aside();
            }
        }
        Self(aside)
    }
}

impl Drop for AtIt<'_> {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        {
            *self.0.at() = At::Over;
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
pub(crate) mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// The policy that all programs have.
    pub(crate) const USUAL: i64 = 0;
    /// That of a thread which stepped aside.
    pub(crate) const IDLE: i64 = 5;

    /// How the system plans this thread: its niceness, and its policy.
    pub(crate) fn planned() -> (i64, i64) {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        // The name in brackets may hold blanks; behind it comes the third field.
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let field = |number: usize| fields[number - 3].parse().unwrap();
        (field(19), field(41))
    }

    /// What becomes of a new thread that does `step`.
    fn after(step: fn()) -> (i64, i64) {
        let stepping = move || {
            step();
            planned()
        };
        std::thread::spawn(stepping).join().unwrap()
    }

    #[test]
    fn a_thread_steps_back_or_aside_for_itself_alone() {
        let before = planned();
        assert_eq!(before.1, USUAL, "tests run as all programs do");
        assert_eq!(after(step_back), (10, USUAL));
        assert_eq!(after(step_aside).1, IDLE);
        assert_eq!(planned(), before);
    }

    #[test]
    fn who_works_aside_is_called_back_where_that_is_allowed_and_only_while_at_it() {
        let aside = Arc::new(Aside::default());
        let ((tell, told), (go, going)) = (channel(), channel());
        let working = aside.clone();
        let thread = std::thread::spawn(move || {
            working.work(|| {
                tell.send(planned().1).unwrap();
                going.recv().unwrap();
                planned().1
            })
        });
        assert_eq!(told.recv().unwrap(), IDLE);
        aside.clone().call_back().unwrap().join().unwrap();
        go.send(()).unwrap();
        let expected = if may_come_back() { USUAL } else { IDLE };
        assert_eq!(thread.join().unwrap(), expected);
        assert!(matches!(*aside.at(), At::Over));
        aside.call_back().unwrap().join().unwrap();
    }
}

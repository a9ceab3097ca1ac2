//! Puts the service together. Here, and in `app/`, concrete engines and stores are named, and nowhere else.

mod alerts;
mod beside;
mod bring_up;
mod credentials;
pub mod engines;
mod first_look;
pub mod inspect;
mod measured;
pub mod stores;
#[cfg(test)]
mod tests;
mod ways_in;

use std::sync::Arc;

use anyhow::Context;
use caller_id_core::Clock;
use caller_id_engine::redis::{BadAddress, Time};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::alerts::{Deadline, Watch};
use crate::auth::first_token::{self, FirstToken};
use crate::config::listen::ListenConfig;
use crate::config::storage::masked;
use crate::config::{ConfigError, Settings};
use crate::dashboard;
use crate::fastagi::FastAgi;
use crate::fence::Gate;
use crate::http::Api;
use crate::http::dispatch::Dispatch;
use crate::http::explain::Counting;
use crate::http::gathered::Gathered;
use crate::http::health::{Together, Vitals};
use crate::jobs::Jobs;
use crate::meters::Meters;
use crate::pulse::Pulse;
use crate::retention::Retention;
use crate::summing::Summing;
use crate::sync::InventorySync;

pub use self::beside::{database_is_there, is_own_file, open_beside};
use self::engines::Engine;
use self::stores::OpenStore;
pub use self::stores::step_back;
use self::ways_in::{answers, fast_agi, request_log};

/// A service that is ready to answer: the engine knows what the store knows, and the tasks run.
pub struct App {
    dispatch: Dispatch,
    agi: Arc<FastAgi>,
    listen: ListenConfig,
    first_token: Option<FirstToken>,
    engine: Engine,
    store: OpenStore,
    stop: CancellationToken,
    /// When a stop has to be over.
    deadline: Deadline,
    /// Ends the pages that are kept up to date.
    looking: CancellationToken,
    alerts: Option<Arc<Watch>>,
    tasks: JoinSet<&'static str>,
}

impl App {
    /// Opens the store, brings the engine to where it was, and starts the tasks. An engine in Redis follows Redis's time.
    ///
    /// # Errors
    /// A setting that cannot be used, or a store that cannot be opened or read.
    pub async fn open(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        Self::open_at(settings, clock, Time::Server).await
    }

    /// The same, where an engine in Redis follows `clock`: for tests that set it.
    ///
    /// # Errors
    /// As [`App::open`].
    pub async fn open_by(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let time = Time::Clock(clock.clone());
        Self::open_at(settings, clock, time).await
    }

    async fn open_at(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        time: Time,
    ) -> anyhow::Result<Self> {
        let database = settings.storage.database()?;
        let mut store = stores::open_for_service(
            &database,
            &settings.history,
            &settings.cluster,
            clock.clone(),
        )
        .await?;
        let commits = measured::commits(&mut store);
        let first_token = first_token(settings)?;
        let engine = Engine::new(
            &settings.cluster,
            store.journal.clone(),
            clock.clone(),
            time,
        )?;
        let (gate, unfit) = (watch::Sender::new(Gate::Unknown), watch::Sender::new(false));
        let limit = settings.rotation.agent_limit();
        let history = store.history.clone();
        let rotator = engine.rotator(gate.subscribe(), limit, history, clock.clone());
        let rotator = Arc::new(rotator);
        let sync = Arc::new(InventorySync::new(
            store.inventory.clone(),
            engine.allocator(),
            rotator.clone(),
            settings.rotation.policy(),
        ));
        let shared = engine.shared();
        let first = first_token.as_ref().map(|first| &first.token);
        let requests = Arc::new(request_log(settings, &store, shared.as_ref()).await?);
        let origins = settings.listen.origins();
        let access = Arc::new(settings.access.access(first, origins.clone()));
        let keys = credentials::open_keys(&store, &access, sync.outages()).await?;
        let stop = CancellationToken::new();
        let api = Arc::new(Api {
            rotator,
            inventory: store.inventory.clone(),
            history: store.reader.clone(),
            inspector: engine.inspector(),
            counting: Counting::default(),
            jobs: Arc::new(Jobs::new(
                clock.clone(),
                stop.child_token(),
                shared.as_ref().map(|shared| shared.jobs.clone()),
            )),
            sync: sync.clone(),
            access: access.clone(),
            keys: keys.clone(),
            sign_in: credentials::sign_in(&store, &settings.sso).await?,
            audit: store.audit.clone(),
            settings: settings.effective.clone(),
            health: Vitals::new(
                store.journal.clone(),
                shared.clone().map(|shared| Together {
                    shared,
                    gate: gate.subscribe(),
                    unfit: unfit.subscribe(),
                }),
                sync.outages(),
            ),
            clock: clock.clone(),
            answers: answers(settings)?,
            requests,
            pulse: Arc::new(
                Pulse::new(shared.as_ref().map(|shared| shared.board.clone())).begun(clock.now()),
            ),
            meters: Arc::new(Meters::new(measured::below(&engine, &store, commits))),
            alerts: Arc::default(),
            gathered: Gathered::default(),
        });
        let looking = stop.child_token();
        let (pages_clock, pages_stop) = (clock.clone(), looking.clone());
        let pages = |api| dashboard::over(api, pages_clock, pages_stop);
        let mut app = Self {
            agi: Arc::new(fast_agi(&api, settings)),
            dispatch: Dispatch::new(api.clone(), &origins, pages, Handle::current()),
            listen: settings.listen.clone(),
            first_token,
            engine,
            store,
            stop,
            deadline: Deadline::default(),
            looking,
            alerts: None,
            tasks: JoinSet::new(),
        };
        app.start_alerts(api.clone(), settings, shared.clone());
        match shared {
            None => {
                // A Redis that was used with this database before knows nothing of what is handed out here.
                let forgotten = app.store.inventory.forget_identity().await;
                forgotten.context("cannot write to the database")?;
                app.bring_up(&sync, settings, &*clock).await?;
            }
            Some(shared) => {
                app.join(shared, sync.clone(), (gate, unfit), settings)
                    .await?;
            }
        }
        ways_in::share(&mut app.tasks, &app.stop, api);
        credentials::follow(&mut app.tasks, &app.stop, &access, keys);
        let (history, reader) = (app.store.history.clone(), app.store.reader.clone());
        let summing = Summing::new(reader, clock.clone(), sync.outages());
        let retention = Retention::new(history, clock, settings.history.kept());
        app.start_tasks(sync, retention, summing);
        Ok(app)
    }

    fn start_tasks(&mut self, sync: Arc<InventorySync>, retention: Retention, summing: Summing) {
        let engine = self.engine.clone();
        let (sync_stop, end) = (self.stop.clone(), self.stop.clone());
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(engine.broken()).await;
            "the engine"
        });
        let (store, stop) = (self.store.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            stop.run_until_cancelled(store.taken_over()).await;
            "the hold on the database"
        });
        self.tasks.spawn(async move {
            sync.run(sync_stop).await;
            "the sync of the inventory"
        });
        self.tasks.spawn(async move {
            tokio::join!(retention.run(end.clone()), summing.run(end));
            "the retention of history"
        });
    }

    /// Who answers requests.
    pub fn dispatch(&self) -> Dispatch {
        self.dispatch.clone()
    }

    /// Who answers Asterisk.
    pub fn agi(&self) -> Arc<FastAgi> {
        self.agi.clone()
    }

    /// How connections are treated.
    pub fn listen(&self) -> &ListenConfig {
        &self.listen
    }

    /// The admin token that was made for this installation, when the settings have none.
    pub fn first_token(&self) -> Option<&FirstToken> {
        self.first_token.as_ref()
    }

    /// Resolves when a task ends, which none should before [`App::close`]; says which.
    pub async fn task_ended(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Ok(name)) => name.to_owned(),
            Some(Err(error)) => format!("a task ({error})"),
            None => "every task".to_owned(),
        }
    }

    /// Ends what would never end by itself: pages that are kept up to date. They come back when the service does.
    pub fn end_looking(&self) {
        self.looking.cancel();
    }

    /// Stops the tasks when all that was decided is committed, then closes the store.
    ///
    /// # Errors
    /// When that takes longer than the settings allow.
    pub async fn close(self) -> anyhow::Result<()> {
        let until = Instant::now() + self.listen.shutdown_timeout();
        self.close_until(until).await
    }

    /// The same, until then: some of the time that a stop has may be over.
    ///
    /// # Errors
    /// When the tasks have not ended then. What was answered is committed all the same.
    pub async fn close_until(mut self, until: Instant) -> anyhow::Result<()> {
        self.deadline.set(until);
        self.stop.cancel();
        let ended = async {
            self.engine.stop().await;
            while self.tasks.join_next().await.is_some() {}
        };
        let ended = tokio::time::timeout_at(until, ended).await;
        ended.context("the tasks did not end within SHUTDOWN_TIMEOUT_SECONDS")?;
        if self.engine.is_drained().await {
            self.store.leave().await;
        }
        self.store.close().await;
        Ok(())
    }
}

/// Checks the settings, with what only engines know of them. Nothing is opened, nobody is asked.
///
/// # Errors
/// [`ConfigError`] names the setting.
pub fn check(settings: &Settings) -> Result<(), ConfigError> {
    settings.check()?;
    let Some(redis) = engines::redis_settings(&settings.cluster) else {
        return Ok(());
    };
    redis.check().map_err(|error| match error {
        BadAddress::Url(_) => ConfigError::new("REDIS_URL", &masked(&redis.url), error.to_string()),
        BadAddress::Authority { file, why } => ConfigError::new(
            "REDIS_TLS_CA",
            &file,
            format!("it {why}, expected a file with certificates in PEM form"),
        ),
    })
}

/// The admin token of this installation. After the store, because a file is locked then: two first starts at once never make
/// two tokens.
fn first_token(settings: &Settings) -> anyhow::Result<Option<FirstToken>> {
    if !settings.access.needs_first_token() {
        return Ok(None);
    }
    let folder = settings.storage.folder()?;
    stores::make_folder(&folder)?;
    Ok(Some(first_token::obtain(&folder)?))
}

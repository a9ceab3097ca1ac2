//! Puts the service together. The only file that names concrete engines and stores.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use caller_id_core::{Clock, HistoryStore, InventoryStore, Rotator, SystemClock, recovery};
use caller_id_engine::MemoryAllocator;
use caller_id_store::{Durability, SqliteOptions, SqliteStore};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::auth::first_token::{self, FirstToken};
use crate::config::listen::ListenConfig;
use crate::config::storage::{self, HistoryConfig, StorageConfig};
use crate::config::{ConfigError, Settings};
use crate::http::dispatch::Dispatch;
use crate::http::health::StoreHealth;
use crate::http::{Answers, Api};
use crate::retention::Retention;
use crate::sync::InventorySync;

/// A service that is ready to answer: the engine knows what the store knows, and the tasks run.
pub struct App {
    dispatch: Dispatch,
    listen: ListenConfig,
    first_token: Option<FirstToken>,
    engine: Arc<MemoryAllocator>,
    store: Arc<SqliteStore>,
    stop: CancellationToken,
    tasks: JoinSet<&'static str>,
}

impl App {
    /// Opens the store, brings the engine to where it was, and starts the tasks.
    ///
    /// # Errors
    /// A setting that cannot be used, or a store that cannot be opened or read.
    pub async fn open(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let path = settings.storage.database_path()?;
        let folder = make_folder(&path)?;
        let store = open_store(&path, &settings.history, clock.clone()).await?;
        // After the store, because it is locked now: two first starts at once never make two tokens.
        let first_token = match settings.access.needs_first_token() {
            true => Some(first_token::obtain(&folder)?),
            false => None,
        };
        let engine = MemoryAllocator::new(store.clone(), clock.clone());
        let rotator = Arc::new(Rotator::new(
            engine.clone(),
            settings.rotation.agent_limit(),
        ));
        let sync = Arc::new(InventorySync::new(
            store.clone(),
            engine.clone(),
            rotator.clone(),
            settings.rotation.policy(),
        ));
        bring_up(&sync, &engine, &*store, settings, &*clock).await?;
        let api = Arc::new(Api {
            rotator,
            inventory: store.clone(),
            sync: sync.clone(),
            access: settings
                .access
                .access(first_token.as_ref().map(|first| &first.token)),
            health: StoreHealth::new(store.clone()),
            clock: clock.clone(),
            answers: answers(settings)?,
        });
        let origins: Vec<_> = settings
            .listen
            .allowed_origins
            .0
            .iter()
            .map(|origin| origin.0.clone())
            .collect();
        let mut app = Self {
            dispatch: Dispatch::new(api, &origins, Handle::current()),
            listen: settings.listen.clone(),
            first_token,
            engine,
            store: store.clone(),
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
        };
        app.start_tasks(sync, Retention::new(store, clock, settings.history.kept()));
        Ok(app)
    }

    fn start_tasks(&mut self, sync: Arc<InventorySync>, retention: Retention) {
        let engine = self.engine.clone();
        let (sync_stop, retention_stop) = (self.stop.clone(), self.stop.clone());
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(engine.broken()).await;
            "the engine"
        });
        self.tasks.spawn(async move {
            sync.run(sync_stop).await;
            "the sync of the inventory"
        });
        self.tasks.spawn(async move {
            retention.run(retention_stop).await;
            "the retention of history"
        });
    }

    /// Who answers requests.
    pub fn dispatch(&self) -> Dispatch {
        self.dispatch.clone()
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

    /// Stops the tasks when all that was decided is committed, then closes the store.
    ///
    /// # Errors
    /// When that takes longer than the settings allow.
    pub async fn close(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        let ended = async {
            self.engine.stop().await;
            while self.tasks.join_next().await.is_some() {}
        };
        if tokio::time::timeout(self.listen.shutdown_timeout(), ended)
            .await
            .is_err()
        {
            bail!("the tasks did not end in time");
        }
        self.store.close().await;
        Ok(())
    }
}

/// Opens the inventory beside a server that may be running, for the command line. Blocks for some milliseconds.
///
/// # Errors
/// A setting that cannot be used, or a store that cannot be opened.
pub fn open_beside(storage: &StorageConfig) -> anyhow::Result<Arc<dyn InventoryStore>> {
    let path = storage.database_path()?;
    make_folder(&path)?;
    let options = SqliteOptions::new(Arc::new(SystemClock::new()));
    let store = SqliteStore::open_beside(&path, options).context(CANNOT_OPEN)?;
    Ok(store)
}

/// Whether `path` is a file that the service keeps: writing anything else there would destroy the numbers or the token.
///
/// # Errors
/// A setting that cannot be used.
pub fn is_own_file(storage: &StorageConfig, path: &Path) -> Result<bool, ConfigError> {
    let database = storage.database_path()?;
    let token = database.with_file_name(first_token::FILE_NAME);
    let is_token = path
        .canonicalize()
        .is_ok_and(|path| token.canonicalize().is_ok_and(|token| token == path));
    Ok(is_token || SqliteStore::keeps(&database, path))
}

async fn open_store(
    path: &Path,
    history: &HistoryConfig,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Arc<SqliteStore>> {
    make_folder(path)?;
    let options = store_options(history, clock);
    let own = path.to_owned();
    let opening = tokio::task::spawn_blocking(move || SqliteStore::open(&own, options));
    opening
        .await
        .context("opening the store panicked")?
        .context(CANNOT_OPEN)
}

fn store_options(history: &HistoryConfig, clock: Arc<dyn Clock>) -> SqliteOptions {
    let mut options = SqliteOptions::new(clock);
    options.durability = match history.durability {
        storage::Durability::Process => Durability::Process,
        storage::Durability::Power => Durability::Power,
    };
    options
}

/// Which of its files it is, the store says.
const CANNOT_OPEN: &str = "cannot open the database";

/// The folder of the database, made if need be, for its owner only.
fn make_folder(path: &Path) -> anyhow::Result<PathBuf> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(folder.to_owned())
}

/// Inventory first, then what history knows of it: the engine is where it was.
async fn bring_up(
    sync: &InventorySync,
    engine: &MemoryAllocator,
    history: &dyn HistoryStore,
    settings: &Settings,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    use caller_id_core::Allocator;
    let pools = sync.load().await.context("cannot read the inventory")?;
    let kept = settings.history.kept();
    let global = settings.rotation.policy();
    for warning in kept.pool_warnings(&pools, &global) {
        tracing::warn!("{warning}");
    }
    let rules = recovery::Rules {
        pools: &pools,
        global: &global,
        agent_limit: settings.rotation.agent_limit(),
    };
    let recovered = recovery::recover(history, rules, clock.now());
    let recovered = recovered.await.context("cannot read the history")?;
    engine
        .recover(recovered)
        .await
        .context("cannot take over the history")
}

fn answers(settings: &Settings) -> Result<Answers, ConfigError> {
    Ok(Answers {
        dial_plan: settings.rotation.dial_plan()?,
        format: settings.rotation.caller_id_format,
        policy: settings.rotation.policy(),
        kept: settings.history.kept(),
        deadline: settings.listen.request_deadline(),
        body_deadline: settings.listen.body_timeout(),
    })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::cli::serve_settings;
    use crate::serve::serve;

    #[test]
    fn the_store_is_as_durable_as_the_setting_says() {
        for (said, durability) in [
            ("process", Durability::Process),
            ("power", Durability::Power),
            ("", Durability::Process),
        ] {
            let settings = serve_settings(&[("DURABILITY", said)]).unwrap();
            let options = store_options(&settings.history, Arc::new(SystemClock::new()));
            assert_eq!(options.durability, durability);
        }
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_stops_the_service_with_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let settings = serve_settings(&[("DATA_DIR", path)]).unwrap();
        let mut app = App::open(&settings, Arc::new(SystemClock::new()))
            .await
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        app.tasks.spawn(async { "a task that ends" });
        let error = serve(listener, app, std::future::pending())
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "a task that ends ended unexpectedly");
    }
}

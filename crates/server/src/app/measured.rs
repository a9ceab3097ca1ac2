//! What the service works with, as programs measure it.

use std::sync::Arc;

use async_trait::async_trait;
use caller_id_core::shared::Lag;

use super::engines::Engine;
use super::stores::OpenStore;
use crate::meters::{Below, Commits, Metered, Queues};

struct Behind {
    engine: Engine,
    store: OpenStore,
}

#[async_trait]
impl Queues for Behind {
    fn waiting(&self) -> Option<usize> {
        match &self.engine {
            Engine::Memory(engine) => Some(engine.waiting()),
            Engine::Redis(_) => None,
        }
    }

    async fn journal(&self) -> Option<Lag> {
        self.store.journal_lag().await
    }
}

/// Measures every commit from now on.
pub(super) fn commits(store: &mut OpenStore) -> Arc<Commits> {
    let commits = Arc::<Commits>::default();
    store.journal = Arc::new(Metered {
        journal: store.journal.clone(),
        commits: commits.clone(),
    });
    commits
}

/// What is measured of engine and store.
pub(super) fn below(engine: &Engine, store: &OpenStore, commits: Arc<Commits>) -> Below {
    Below {
        store: store.word(),
        redis: engine.in_redis().map(|engine| engine.calls()),
        postgres: store.postgres_calls(),
        queues: Some(Arc::new(Behind {
            engine: engine.clone(),
            store: store.clone(),
        })),
        commits,
    }
}

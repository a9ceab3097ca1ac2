//! API keys and keys of signers, kept as those say who have them.

use std::sync::Arc;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::stores::OpenStore;
use crate::auth::Access;
use crate::auth::key_keeper::KeyKeeper;
use crate::auth::oidc::Provider;
use crate::config::sso::SsoConfig;
use crate::http::sign_in::SignIn;
use crate::telemetry::outage::Outages;

/// The API keys of the store, known to `access` from now on.
pub(super) async fn open_keys(
    store: &OpenStore,
    access: &Access,
    outages: Arc<Outages>,
) -> anyhow::Result<Arc<KeyKeeper>> {
    let keys = KeyKeeper::new(store.keys.clone(), access.keys.clone(), outages);
    keys.now().await.context("cannot read the API keys")?;
    Ok(Arc::new(keys))
}

/// What signing in works with. The identity provider is not asked before somebody signs in.
pub(super) async fn sign_in(store: &OpenStore, settings: &SsoConfig) -> anyhow::Result<SignIn> {
    let cookie_key = store.keys.cookie_key().await;
    let cookie_key = cookie_key.context("cannot read the key of cookies")?;
    let provider = settings.registration()?.map(Provider::new);
    Ok(SignIn {
        provider: provider.map(Arc::new),
        origin: settings.origin(),
        session_ms: settings.session_ms(),
        ..SignIn::new(store.keys.clone(), store.audit.clone(), cookie_key)
    })
}

/// Starts the tasks that follow their changes.
pub(super) fn follow(
    tasks: &mut JoinSet<&'static str>,
    stop: &CancellationToken,
    access: &Access,
    keys: Arc<KeyKeeper>,
) {
    let keys_stop = stop.clone();
    tasks.spawn(async move {
        keys.run(keys_stop).await;
        "the watch over the API keys"
    });
    if let Some(provider) = access.tokens.provider.clone() {
        let stop = stop.clone();
        tasks.spawn(async move {
            provider.run(stop).await;
            "the watch over JWKS_URL"
        });
    }
}

//! Opening a database: who may, and what is made ready.

use std::sync::Arc;
use std::time::Duration;

use caller_id_core::StoreError;
use sqlx_postgres::PgConnection;
use tokio::time::{Instant, sleep};

use super::error::Fault;
use super::holders::{Holder, holders};
use super::keeper::keep;
use super::lane::{self, Lane, Terms};
use super::owner::Owner;
use super::parts::{Parts, Week};
use super::place::Place;
use super::pooled;
use super::restoring;
use super::schema;
use super::trouble::Trouble;
use super::{POSTGRES_CONNECTIONS_LEAST, PostgresOptions, PostgresStore};

/// A commit that meets a lost connection is made again, so it need not ask first.
const COMMIT_TRUST: Duration = Duration::from_secs(1);
/// One commits; the other takes its place while it is given up.
const COMMIT_CONNECTIONS: usize = 2;
/// One holds the lock on the database.
const OWNER_CONNECTIONS: usize = 1;
/// How often it is looked whether the database is free.
const LOOK: Duration = Duration::from_millis(500);

impl PostgresStore {
    /// Opens the database of a URL (`postgres://`, `postgresql://`, `postgresql+asyncpg://`; encrypted as its `sslmode`
    /// says) as a node of [`PostgresOptions::ownership`], and brings it up to date. Nodes of a cluster may start at once.
    ///
    /// With [`PostgresOptions::standby`] it waits until a node that is alone has ended, through restarts of the server too.
    /// Nodes of a cluster are waited for by nobody. Dropping the future ends the wait.
    ///
    /// # Errors
    /// [`StoreError::Owned`] names who uses the database and may not run beside this node;
    /// [`StoreError::Unreadable`] when a newer version wrote it; [`StoreError::Busy`] when it does not answer in time;
    /// others when the URL cannot be read or the server refuses. They name the server, never the password.
    pub async fn open(url: &str, options: PostgresOptions) -> Result<Arc<Self>, StoreError> {
        let place = Arc::new(Place::parse(url)?);
        let owner = Arc::new(Owner::new(
            options.ownership.clone(),
            Arc::clone(&place),
            options.come_back,
        ));
        let mut session = first_session(&place, &owner, &options).await?;
        schema::migrate(&place).await?;
        let entered = owner.enter(&mut session).await;
        entered.map_err(|fault| fault.at(&*place))?;
        let terms = terms(&options, 1, COMMIT_TRUST);
        let held = Lane::owned(Arc::clone(&place), terms, owner, session);
        Self::on(place, options, Some(Arc::new(held))).await
    }

    /// Opens the database beside whoever uses it, and brings it up to date: for the command line, which hands out no
    /// numbers. [`PostgresOptions::ownership`] and [`PostgresOptions::standby`] mean nothing here.
    ///
    /// # Errors
    /// Those of [`PostgresStore::open`] but [`StoreError::Owned`].
    pub async fn open_beside(url: &str, options: PostgresOptions) -> Result<Arc<Self>, StoreError> {
        let place = Arc::new(Place::parse(url)?);
        look_beside(&place, options.wait).await?;
        schema::migrate(&place).await?;
        Self::on(place, options, None).await
    }

    async fn on(
        place: Arc<Place>,
        options: PostgresOptions,
        owner: Option<Arc<Lane>>,
    ) -> Result<Arc<Self>, StoreError> {
        let calls = owner
            .as_ref()
            .map_or_else(Arc::default, |owner| owner.calls());
        let lane = |most, trust| {
            let terms = terms(&options, most, trust);
            let lane = Lane::new(Arc::clone(&place), terms);
            Arc::new(lane.counting(Arc::clone(&calls)))
        };
        let commits = match &owner {
            // The session that holds the lock is the one that commits: no commit without the lock.
            Some(owner) if options.ownership.is_sole() => Arc::clone(owner),
            _ => lane(COMMIT_CONNECTIONS, COMMIT_TRUST),
        };
        if let Some(owner) = &owner {
            keep(Arc::downgrade(owner));
        }
        let others = COMMIT_CONNECTIONS + OWNER_CONNECTIONS;
        let most = options.connections.max(POSTGRES_CONNECTIONS_LEAST);
        let store = Self {
            lane: lane(most - others, Duration::ZERO),
            commits,
            owner,
            parts: Arc::new(Parts::default()),
            ahead: Arc::default(),
            trouble: Trouble::default(),
            catalog: Arc::default(),
            clock: options.clock,
        };
        let week = Week::of(store.clock.now());
        let parts = Arc::clone(&store.parts);
        store
            .lane
            .run(|connection| {
                Box::pin(async move {
                    restoring::check(connection).await?;
                    parts.make(connection, &[week, week.next()]).await
                })
            })
            .await?;
        Ok(Arc::new(store))
    }
}

/// Whether sessions are lent whole.
async fn look_beside(place: &Place, wait: Duration) -> Result<(), StoreError> {
    let looking = async {
        let mut session = lane::connect(place, wait).await?;
        pooled::check(place, &mut session).await
    };
    in_time(wait, looking)
        .await
        .map_err(|fault| fault.at(place))
}

fn terms(options: &PostgresOptions, most: usize, trust: Duration) -> Terms {
    Terms {
        most,
        wait: options.wait,
        trust,
    }
}

/// How far a node that stands by has come.
#[derive(Default)]
struct Standby {
    /// The server was reached: when it is away now, it is being started anew.
    reached: bool,
    /// It was logged for whom this node waits.
    told: bool,
    /// It was logged that the server is away.
    warned: bool,
}

/// A session that holds the lock on the database.
async fn first_session(
    place: &Place,
    owner: &Owner,
    options: &PostgresOptions,
) -> Result<PgConnection, StoreError> {
    let mut standby = Standby::default();
    loop {
        match try_session(place, owner, options, &mut standby).await {
            Ok(Ok(session)) => {
                if standby.told {
                    tracing::info!("this node takes over the database");
                }
                return Ok(session);
            }
            Ok(Err(holders)) => return Err(owner.refusal(&holders)),
            Err(fault) if !options.standby || !standby.reached || fault.is_refusal() => {
                return Err(fault.at(place));
            }
            Err(fault) if !standby.warned => {
                tracing::warn!(error = %fault.at(place), "this node stands by, and tries again until it answers");
                standby.warned = true;
            }
            Err(_) => {}
        }
        sleep(LOOK).await;
    }
}

/// One session, asked for the lock once, or as long as it lives by who stands by.
async fn try_session(
    place: &Place,
    owner: &Owner,
    options: &PostgresOptions,
    standby: &mut Standby,
) -> Result<Result<PgConnection, Vec<Holder>>, Fault> {
    let connecting = lane::connect(place, options.wait);
    let mut session = in_time(options.wait, connecting).await?;
    in_time(options.wait, pooled::check(place, &mut session)).await?;
    standby.reached = true;
    in_time(options.wait, owner.name(&mut session)).await?;
    if in_time(options.wait, owner.gives_way(&mut session)).await? {
        wait_for_nodes(&mut session, place, options).await?;
    }
    loop {
        let holders = match in_time(options.wait, owner.take(&mut session)).await? {
            Ok(()) => return Ok(Ok(session)),
            Err(holders) => holders,
        };
        if !options.standby || !owner.may_wait(&holders) {
            return Ok(Err(holders));
        }
        standby.warned = false;
        if !std::mem::replace(&mut standby.told, true) {
            tracing::info!("this node stands by: {}", owner.reason(&holders));
        }
        sleep(LOOK).await;
    }
}

/// Comes back when some node has the database, or none has for long enough. The lock is not touched meanwhile: whoever comes
/// back would be refused.
async fn wait_for_nodes(
    session: &mut PgConnection,
    place: &Place,
    options: &PostgresOptions,
) -> Result<(), Fault> {
    let until = Instant::now() + options.come_back;
    let mut told = false;
    while Instant::now() < until && in_time(options.wait, holders(session)).await?.is_empty() {
        if !std::mem::replace(&mut told, true) {
            tracing::warn!(
                "{place} was used by nodes whose engine is in Redis, which may come back: this node, whose engine is in \
                 memory, takes it over when none has within {:?}",
                options.come_back
            );
        }
        sleep(LOOK).await;
    }
    Ok(())
}

async fn in_time<T>(
    wait: Duration,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    tokio::time::timeout(wait, work).await.unwrap_or_else(|_| {
        let text = format!("no answer within {wait:?}");
        Err(StoreError::Busy(text.into()).into())
    })
}

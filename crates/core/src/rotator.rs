//! The one use case: a call asks for its caller ID, and gives it back.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::agent_limit::{AgentLimit, AgentLimits};
use crate::allocator::{Allocator, AllocatorError};
use crate::call_report::{CallReport, ReportTarget, Reported};
use crate::ids::{AllocationId, CampaignId, PoolId};
use crate::inventory::Campaign;
use crate::journal::{CallEnd, EndRecord};
use crate::outcome::{Outcome, ReleaseTarget};
use crate::past::{CallFinder, Sought};
use crate::request::{AllocationRequest, Ask};

/// Which pools each campaign uses, and how often it lets an agent call: a snapshot, replaced whole when a campaign changes.
#[derive(Debug)]
pub struct Routes {
    pools: HashMap<CampaignId, Arc<[PoolId]>>,
    default: Arc<[PoolId]>,
    /// What campaigns say themselves; the global limit is the rotator's.
    limits: AgentLimits,
}

impl Routes {
    /// The routes of these campaigns; all others use the pool `default`.
    pub fn new(campaigns: Vec<Campaign>) -> Self {
        let limits = AgentLimits::new(AgentLimit::OFF, &campaigns);
        let pools = campaigns
            .into_iter()
            .map(|campaign| (campaign.id, campaign.pools.into()));
        Self {
            pools: pools.collect(),
            default: Arc::new([PoolId::default()]),
            limits,
        }
    }

    fn pools(&self, campaign: Option<&CampaignId>) -> Arc<[PoolId]> {
        let configured = campaign.and_then(|campaign| self.pools.get(campaign));
        configured.unwrap_or(&self.default).clone()
    }
}

/// On which terms calls get their numbers.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The pools, first choice first.
    pub pools: Arc<[PoolId]>,
    /// The limit of the agent.
    pub agent_limit: AgentLimit,
    /// Whether anybody configured the campaign; calls of no campaign have none.
    pub is_configured: bool,
}

impl Terms {
    /// A request on these terms.
    pub fn ask<'a>(&'a self, request: &'a AllocationRequest) -> Ask<'a> {
        Ask {
            request,
            pools: &self.pools,
            agent_limit: self.agent_limit,
        }
    }
}

/// Campaigns are not known yet.
#[derive(Debug, thiserror::Error)]
#[error("which campaign uses which pools is not known yet")]
struct NoRoutes;

/// Whether numbers may be handed out.
pub trait Permission: Send + Sync {
    /// Asked before each request.
    ///
    /// # Errors
    /// [`AllocatorError`] says why not.
    fn check(&self) -> Result<(), AllocatorError>;
}

/// Hands out caller IDs: what HTTP, FastAGI and every other way in calls.
pub struct Rotator {
    allocator: Arc<dyn Allocator>,
    /// None: it is not known yet which campaign uses which pools.
    routes: RwLock<Option<Arc<Routes>>>,
    agent_limit: AgentLimit,
    /// Who looks for calls that the engine knows no more.
    finder: Option<Arc<dyn CallFinder>>,
    permission: Option<Arc<dyn Permission>>,
}

impl Rotator {
    /// A rotator over an engine, with no campaign configured.
    pub fn new(allocator: Arc<dyn Allocator>, agent_limit: AgentLimit) -> Self {
        Self {
            allocator,
            routes: RwLock::new(Some(Arc::new(Routes::new(Vec::new())))),
            agent_limit,
            finder: None,
            permission: None,
        }
    }

    /// A rotator that hands out nothing before it is given routes: a node may serve before it could read them, and a campaign
    /// must never leave its pools.
    pub fn unrouted(allocator: Arc<dyn Allocator>, agent_limit: AgentLimit) -> Self {
        Self {
            allocator,
            routes: RwLock::new(None),
            agent_limit,
            finder: None,
            permission: None,
        }
    }

    /// The same, which looks for reported calls that the engine knows no more. Without it they are unknown.
    #[must_use]
    pub fn finding(mut self, finder: Arc<dyn CallFinder>) -> Self {
        self.finder = Some(finder);
        self
    }

    /// The same, which hands out nothing without that permission. All else goes on: what was handed out is recorded and released.
    #[must_use]
    pub fn permitted(mut self, permission: Arc<dyn Permission>) -> Self {
        self.permission = Some(permission);
        self
    }

    /// Whether it is known which campaign uses which pools.
    pub fn is_routed(&self) -> bool {
        self.routes().is_some()
    }

    /// The caller ID for a call.
    ///
    /// # Errors
    /// [`AllocatorError`]: no number was handed out.
    pub async fn next(&self, request: &AllocationRequest) -> Result<Outcome, AllocatorError> {
        let terms = self.terms(request.campaign.as_ref())?;
        self.allocator.allocate(terms.ask(request)).await
    }

    /// On which terms a call of that campaign gets a number now.
    ///
    /// # Errors
    /// [`AllocatorError`]: none is handed out now.
    pub fn terms(&self, campaign: Option<&CampaignId>) -> Result<Terms, AllocatorError> {
        let routes = self.known()?;
        if let Some(permission) = &self.permission {
            permission.check()?;
        }
        Ok(Terms {
            pools: routes.pools(campaign),
            agent_limit: routes.limits.of_or(campaign, self.agent_limit),
            is_configured: campaign.is_some_and(|campaign| routes.pools.contains_key(campaign)),
        })
    }

    /// The pools of a campaign, first choice first; without one, or with one that nobody configured, the pool `default`.
    ///
    /// # Errors
    /// [`AllocatorError::Unavailable`] when routes are not known yet.
    pub fn pools(&self, campaign: Option<&CampaignId>) -> Result<Arc<[PoolId]>, AllocatorError> {
        Ok(self.known()?.pools(campaign))
    }

    /// Ends a reservation; `None` when there was no live one, which is no error.
    ///
    /// # Errors
    /// [`AllocatorError`]: the reservation lives on.
    pub async fn release(
        &self,
        target: &ReleaseTarget,
        end: CallEnd,
    ) -> Result<Option<EndRecord>, AllocatorError> {
        self.allocator.release(target, end).await
    }

    /// Keeps how a call went with its allocation, and ends its reservation where that lives. Reports that come late, again, or of a
    /// call that nobody knows are no error; of two reports of one call the first is kept.
    ///
    /// A reservation's id is not looked up, since it names its number and its instant: one of a number of ours that was never
    /// made, or that history has forgotten, is answered as kept, and nothing is written. Calls, and what was shown to whom, are
    /// looked for in the last 24 hours.
    ///
    /// # Errors
    /// [`AllocatorError`]: nothing was kept.
    pub async fn report(
        &self,
        target: &ReportTarget,
        report: &CallReport,
    ) -> Result<Reported, AllocatorError> {
        let found = match target {
            ReportTarget::Reservation(id) => Some(*id),
            ReportTarget::Call(call) => {
                // What the engine knows of a call is the latest.
                let known = ReleaseTarget::Call(call.clone());
                match self.allocator.report(&known, report).await? {
                    Reported::Unknown => self.find(Sought::Call(call.clone())).await?,
                    kept => return Ok(kept),
                }
            }
            ReportTarget::Shown {
                number,
                destination,
            } => {
                let (number, destination) = (*number, *destination);
                self.find(Sought::Shown {
                    number,
                    destination,
                })
                .await?
            }
        };
        match found {
            Some(id) => {
                let target = ReleaseTarget::Reservation(id);
                self.allocator.report(&target, report).await
            }
            None => Ok(Reported::Unknown),
        }
    }

    async fn find(&self, sought: Sought) -> Result<Option<AllocationId>, AllocatorError> {
        let Some(finder) = &self.finder else {
            return Ok(None);
        };
        let found = finder.find(&sought).await;
        found.map_err(|error| AllocatorError::NotRecorded(Arc::new(error)))
    }

    /// Which limit holds for the agents of which campaign, as far as is known yet.
    pub fn agent_limits(&self) -> AgentLimits {
        match self.routes() {
            Some(routes) => routes.limits.over(self.agent_limit),
            None => self.agent_limit.into(),
        }
    }

    /// Takes new routes, from the next request on.
    pub fn set_routes(&self, routes: Routes) {
        *self.routes.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(routes));
    }

    fn known(&self) -> Result<Arc<Routes>, AllocatorError> {
        let routes = self.routes();
        routes.ok_or_else(|| AllocatorError::Unavailable(Arc::new(NoRoutes)))
    }

    fn routes(&self) -> Option<Arc<Routes>> {
        self.routes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

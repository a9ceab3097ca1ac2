//! `caller-id doctor`.

use std::process::ExitCode;

use caller_id_core::store::Revision;
use caller_id_core::{Clock, StoreError, SystemClock};
use serde::Serialize;

use super::one_line;
use super::show::out;
use crate::accord;
use crate::app::inspect::InventoryInspection;
use crate::app::{self, inspect};
use crate::config::Settings;
use crate::config::storage::DatabaseUrl;
use crate::doctor::{Finding, Part, Verdict, access, cluster, node, postgres, redis, sqlite};

/// What `doctor` takes.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// All settings.
    #[command(flatten)]
    pub settings: Settings,
    /// Write one JSON object instead of lines, for programs
    #[arg(long, help_heading = "Options")]
    pub json: bool,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A line each, for people.
    Lines,
    /// One object, for programs.
    Json,
}

/// Runs the command; the exit codes are told in its help.
///
/// # Errors
/// A setting that cannot be used, and standard output that cannot be written.
pub async fn run(args: DoctorArgs) -> anyhow::Result<ExitCode> {
    app::check(&args.settings)?;
    let form = if args.json { Form::Json } else { Form::Lines };
    examine(&args.settings, form).await
}

/// Looks at all that the settings name, and writes what was found. The settings are good.
pub(super) async fn examine(settings: &Settings, form: Form) -> anyhow::Result<ExitCode> {
    let report = Report::of(findings(settings).await?);
    out::line_if_read(&match form {
        Form::Json => serde_json::to_string_pretty(&report)?,
        Form::Lines => report.lines(),
    })?;
    Ok(match report.errors {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// All findings, and how many there are of each kind.
#[derive(Debug, Serialize)]
struct Report {
    verdict: Verdict,
    errors: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

impl Report {
    fn of(findings: Vec<Finding>) -> Self {
        let verdicts = || findings.iter().map(|finding| finding.verdict);
        let count = |verdict| verdicts().filter(|found| *found == verdict).count();
        Self {
            verdict: verdicts().max().unwrap_or(Verdict::Ok),
            errors: count(Verdict::Error),
            warnings: count(Verdict::Warning),
            findings,
        }
    }

    fn lines(&self) -> String {
        let mut lines = String::new();
        for finding in &self.findings {
            lines.push_str(&format!("{finding}\n"));
        }
        let counted = |count, word| match count {
            1 => format!("1 {word}"),
            count => format!("{count} {word}s"),
        };
        let [errors, warnings] = [
            counted(self.errors, "error"),
            counted(self.warnings, "warning"),
        ];
        let summary = match self.verdict {
            Verdict::Ok => "all is well".to_owned(),
            _ => format!("{errors}, {warnings}"),
        };
        lines + &format!("\n{summary}\n")
    }
}

/// What is known when the database was looked at.
struct Looked {
    findings: Vec<Finding>,
    ahead_ms: Option<i64>,
    inventory: Option<InventoryInspection>,
    recorded: Option<cluster::Recorded>,
}

async fn findings(settings: &Settings) -> anyhow::Result<Vec<Finding>> {
    let cluster = &settings.cluster;
    let url = settings.storage.database()?;
    let (redis_looked, database) = tokio::join!(
        inspect::redis(cluster, inspect::PATIENCE),
        database(settings, &url)
    );
    let mut ahead_ms: Vec<i64> = database.ahead_ms.into_iter().collect();
    let mut of_redis = Vec::new();
    match redis_looked {
        None => {}
        Some(Err(error)) => of_redis.push(redis::away(&one_line(&error))),
        Some(Ok(found)) => {
            ahead_ms.push(found.clock_ahead_ms);
            of_redis.extend(redis::judge(&found));
            of_redis.extend(together(settings, &database).await);
        }
    }
    let now = SystemClock::new().now();
    let mut findings = vec![
        match (cluster.is_shared(), &url) {
            (true, DatabaseUrl::Sqlite(_)) => node::name_beside_a_file(&cluster.node_name()),
            (shared, _) => node::name(&cluster.node_name(), shared),
        },
        node::clock(now, &ahead_ms),
    ];
    findings.extend(database.findings);
    findings.extend(of_redis);
    Ok(findings)
}

/// What Redis holds, and whether it belongs to the database.
async fn together(settings: &Settings, database: &Looked) -> Vec<Finding> {
    match inspect::state(&settings.cluster).await {
        None => Vec::new(),
        Some(Ok(state)) => {
            let recorded = database.recorded.as_ref();
            let mut findings = cluster::judge(&state, database.inventory, recorded);
            let node = settings.cluster.node_name();
            let ours = accord::told(&settings.rotation);
            findings.push(cluster::settings(&node, &ours, &state.announced));
            findings
        }
        Some(Err(error)) => vec![cluster::untold(&one_line(&error))],
    }
}

/// Of a database that has the tables of this version.
async fn of_access(part: Part, url: &DatabaseUrl) -> Vec<Finding> {
    match Box::pin(inspect::access(url)).await {
        Ok(found) => vec![
            access::keys(part, &found.keys, SystemClock::new().now()),
            access::audit_log(part, &found.log),
        ],
        Err(error) if is_damaged(&error) => vec![access::damaged(part, &one_line(&error))],
        Err(error) => vec![access::unread(part, &one_line(&error))],
    }
}

/// Whether it is not as any program of ours writes it.
fn is_damaged(error: &anyhow::Error) -> bool {
    let mut causes = error.chain();
    causes.any(|cause| matches!(cause.downcast_ref(), Some(StoreError::Unreadable(_))))
}

async fn database(settings: &Settings, url: &DatabaseUrl) -> Looked {
    match url {
        DatabaseUrl::Postgres(address) => of_postgres(settings, address, url).await,
        DatabaseUrl::Sqlite(path) => {
            let (findings, inventory) = match inspect::sqlite(path) {
                Ok((file, folder)) => {
                    let ours = matches!(file.file, inspect::SqliteFile::Ours { version } if version == file.schema_known);
                    // Only who shares a Redis is asked whether both belong together.
                    let shared = settings.cluster.is_shared();
                    let inventory = match file.file {
                        inspect::SqliteFile::Missing | inspect::SqliteFile::Empty if shared => {
                            Some(InventoryInspection::NONE)
                        }
                        _ if ours && shared => inspect::sqlite_inventory(path).await.ok(),
                        _ => None,
                    };
                    let mut findings = sqlite::judge(&file, &folder);
                    if ours {
                        findings.extend(of_access(Part::Sqlite, url).await);
                    }
                    (findings, inventory)
                }
                Err(error) => (vec![sqlite::unreadable(&one_line(&error))], None),
            };
            Looked {
                findings,
                ahead_ms: None,
                inventory,
                recorded: None,
            }
        }
    }
}

async fn of_postgres(settings: &Settings, address: &str, url: &DatabaseUrl) -> Looked {
    let cluster = &settings.cluster;
    let by = postgres::Use {
        node: cluster.node_name(),
        shared: cluster.is_shared(),
        standby: cluster.standby,
        connections: settings.history.database_pool_size,
    };
    match inspect::postgres(address).await {
        Ok(found) => Looked {
            findings: {
                let ours = found.schema_found == found.schema_known;
                let access = match ours {
                    true => of_access(Part::Postgresql, url).await,
                    false => Vec::new(),
                };
                [postgres::judge(&found, &by), access].concat()
            },
            ahead_ms: Some(found.clock_offset_ms),
            inventory: match found.schema_found {
                0 => Some(InventoryInspection::NONE),
                _ => found.revision.map(|revision| InventoryInspection {
                    identity: found.identity,
                    revision: Revision(revision),
                }),
            },
            recorded: Some(cluster::Recorded {
                state: found.state,
                holders: found.state_holders,
            }),
        },
        Err(error) => Looked {
            findings: vec![postgres::away(&one_line(&error))],
            ahead_ms: None,
            inventory: None,
            recorded: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_counts_and_its_worst_finding_is_its_verdict() {
        let good = || node::name("a", true);
        let report = Report::of(vec![good()]);
        assert_eq!((report.verdict, report.errors), (Verdict::Ok, 0));
        assert!(report.lines().ends_with("\n\nall is well\n"));
        let report = Report::of(vec![redis::away("no"), good()]);
        assert_eq!(report.verdict, Verdict::Error);
        assert!(report.lines().ends_with("\n\n1 error, 0 warnings\n"));
    }
}

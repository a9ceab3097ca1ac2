//! Judges a file of SQLite and its folder.

use super::{Finding, Part, bytes};
use crate::app::inspect::{FolderInspection, SqliteFile, SqliteInspection};

/// Less free space than this is soon none: a day of a busy call centre.
const FREE_LEAST: u64 = 1 << 30;
/// With less than this the next commits fail.
const FREE_NEEDED: u64 = 100 << 20;

const BEGIN_ANEW: &str = "no service starts so: put the file back, or move the journal away and restore a backup: \
    caller-id restore FILE (docs/backup.md)";

const ELSEWHERE: &str = "if a service has it, go to its folder first, where its settings are (of the package: cd /var/lib/caller-id), \
    or name it in DATABASE_URL or DATA_DIR";

/// All that is to say of it.
pub fn judge(sqlite: &SqliteInspection, folder: &FolderInspection) -> Vec<Finding> {
    let mut findings = vec![file(sqlite), in_use(sqlite), writable(folder)];
    findings.extend(folder.free_bytes.map(free));
    findings.extend(folder.network.as_deref().map(network));
    findings
}

/// What is to say when it cannot be looked at.
pub fn unreadable(why: &str) -> Finding {
    finding("file", why)
        .error("give this user the rights to it, or correct DATABASE_URL and DATA_DIR")
}

fn finding(about: &'static str, fact: impl Into<String>) -> Finding {
    Finding::new(Part::Sqlite, about, fact)
}

fn file(sqlite: &SqliteInspection) -> Finding {
    let about = "file";
    let path = sqlite.path.display();
    let known = sqlite.schema_known;
    match sqlite.file {
        SqliteFile::Missing | SqliteFile::Empty if sqlite.journal.is_some() => finding(
            about,
            format!(
                "{path} is gone or empty, and its journal is there: {}",
                journal(sqlite)
            ),
        )
        .error(BEGIN_ANEW),
        SqliteFile::Missing => finding(
            about,
            format!("{path} is not there: the first start makes it"),
        )
        .warning(ELSEWHERE),
        SqliteFile::Empty => finding(about, format!("{path} is empty: the first start fills it")),
        SqliteFile::Foreign => finding(about, format!("{path} is no database of caller-id"))
            .error("name another file in DATABASE_URL"),
        SqliteFile::Ours { version } if version > known => finding(
            about,
            format!(
                "{path} has version {version}, and this program knows {known}: a newer one made it"
            ),
        )
        .error("install the newer version of caller-id here"),
        SqliteFile::Ours { version } if version < known => finding(
            about,
            format!("{path} has version {version}, the next start brings it to {known}"),
        ),
        SqliteFile::Ours { version } => finding(about, format!("{path}, version {version}")),
    }
}

fn journal(sqlite: &SqliteInspection) -> String {
    let journal = sqlite.journal.as_ref();
    journal.map_or_else(String::new, |journal| journal.display().to_string())
}

/// No error: it may be the service that this is asked of.
fn in_use(sqlite: &SqliteInspection) -> Finding {
    let fact = match sqlite.in_use {
        true => "by a service: another one is refused",
        false => "by no service now",
    };
    finding("in use", fact)
}

fn writable(folder: &FolderInspection) -> Finding {
    let about = "folder";
    let path = folder.path.display();
    if folder.writable {
        return finding(about, format!("{path} can be written"));
    }
    finding(about, format!("{path} cannot be written by this user"))
        .error("make this user its owner: SQLite writes files beside the database")
}

fn free(free: u64) -> Finding {
    let found = finding("disk", format!("{} free", bytes(free)));
    if free < FREE_NEEDED {
        return found.error("free some: a commit that fails is no number for a call");
    }
    if free < FREE_LEAST {
        return found.warning("free some, or keep history for less long (HISTORY_RETENTION_DAYS)");
    }
    found
}

fn network(kind: &str) -> Finding {
    finding(
        "disk",
        format!("{kind}: locks and power losses are not safe there"),
    )
    .error("put the file on a disk of this machine, or use PostgreSQL")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::doctor::Verdict;

    fn good() -> (SqliteInspection, FolderInspection) {
        let sqlite = SqliteInspection {
            path: PathBuf::from("/data/caller-id.db"),
            file: SqliteFile::Ours { version: 2 },
            journal: Some(PathBuf::from("/data/caller-id.journal.db")),
            schema_known: 2,
            in_use: false,
        };
        let folder = FolderInspection {
            path: PathBuf::from("/data"),
            writable: true,
            free_bytes: Some(50 << 30),
            network: None,
        };
        (sqlite, folder)
    }

    fn bad(
        change: impl FnOnce(&mut SqliteInspection, &mut FolderInspection),
    ) -> Vec<(Verdict, &'static str)> {
        let (mut sqlite, mut folder) = good();
        change(&mut sqlite, &mut folder);
        let found = judge(&sqlite, &folder).into_iter();
        found
            .filter(|finding| finding.verdict != Verdict::Ok)
            .inspect(|finding| assert!(finding.advice.is_some(), "{finding}"))
            .map(|finding| (finding.verdict, finding.about))
            .collect()
    }

    #[test]
    fn a_good_one_is_well_also_in_use_empty_or_old() {
        assert_eq!(bad(|_, _| {}), []);
        assert_eq!(bad(|sqlite, _| sqlite.in_use = true), []);
        for file in [SqliteFile::Empty, SqliteFile::Ours { version: 1 }] {
            let found = bad(|sqlite, _| (sqlite.file, sqlite.journal) = (file, None));
            assert_eq!(found, []);
        }
    }

    #[test]
    fn a_file_that_is_not_there_may_be_in_another_folder() {
        let found = bad(|sqlite, _| (sqlite.file, sqlite.journal) = (SqliteFile::Missing, None));
        assert_eq!(found, [(Verdict::Warning, "file")]);
    }

    #[test]
    fn a_file_that_is_gone_beside_its_journal_is_an_error() {
        for file in [SqliteFile::Missing, SqliteFile::Empty] {
            let found = bad(|sqlite, _| sqlite.file = file);
            assert_eq!(found, [(Verdict::Error, "file")]);
        }
    }

    #[test]
    fn the_file_of_another_program_or_a_newer_version_is_an_error() {
        for file in [SqliteFile::Foreign, SqliteFile::Ours { version: 3 }] {
            let found = bad(|sqlite, _| sqlite.file = file);
            assert_eq!(found, [(Verdict::Error, "file")]);
        }
        assert_eq!(unreadable("denied").verdict, Verdict::Error);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let found = bad(|_, folder| folder.writable = false);
        assert_eq!(found, [(Verdict::Error, "folder")]);
    }

    #[test]
    fn little_free_space_is_a_warning_and_hardly_any_an_error() {
        for (free, verdict) in [
            (2 << 30, None),
            (500 << 20, Some(Verdict::Warning)),
            (50 << 20, Some(Verdict::Error)),
        ] {
            let found = bad(|_, folder| folder.free_bytes = Some(free));
            assert_eq!(found.first().map(|found| found.0), verdict, "{free}");
        }
        assert_eq!(bad(|_, folder| folder.free_bytes = None), []);
    }

    #[test]
    fn a_disk_behind_a_network_is_an_error() {
        let found = bad(|_, folder| folder.network = Some("NFS".to_owned()));
        assert_eq!(found, [(Verdict::Error, "disk")]);
    }
}

//! A backup that is taken while calls come, and the service that goes on from it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use caller_id_core::{AllocationId, PastAllocation};
use caller_id_testkit::invariants::violations;
use caller_id_testkit::told::evidence::acknowledged;

use crate::inventory::{self, rules};
use crate::load::{CALLERS, Caller, callers, load};
use crate::process::{BINARY, Process, configured, serve};
use crate::verdict::{faults, history};
use crate::{said, status};

/// So many calls are made and answered just before a backup begins.
const JUST_BEFORE: usize = 60;
/// And so many on each connection to the service that goes on from it.
const HANDED_EACH: usize = 12;
/// Who is not given them by then never is.
const ASKED_MOST: usize = 5_000;

fn backup(folder: &Path, to: &Path) {
    let mut command = Command::new(BINARY);
    command.args(["backup", "--to", to.to_str().unwrap()]);
    let done = configured(command, folder).output().unwrap();
    assert_eq!(status(&done), 0, "{}", said(&done));
}

fn restore(file: &Path, folder: &Path) {
    let mut command = Command::new(BINARY);
    command.args(["restore", file.to_str().unwrap()]);
    let done = configured(command, folder).output().unwrap();
    assert_eq!(status(&done), 0, "{}", said(&done));
}

#[test]
fn a_backup_under_load_has_all_that_was_answered_before_it_and_the_service_goes_on_from_it() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [folder, again] = folders.each_ref().map(tempfile::TempDir::path);
    let file = again.join("a.backup.gz");
    let process = Process::start(serve(folder));
    inventory::fill(&mut process.connect());
    let mut before = Vec::new();
    let callers_now = callers(&process, "load", 7);
    let own = Caller::new(process.connect(), "before".to_owned(), 99);
    let mut told = load(
        process,
        callers_now,
        |_| false,
        |process| {
            let mut own = own;
            for _ in 0..ASKED_MOST {
                let path = own.new_call();
                own.ask_on(&path);
                if own.told.handed.len() >= JUST_BEFORE {
                    break;
                }
            }
            before.extend(own.told.handed.iter().cloned());
            backup(folder, &file);
            // Some of what comes now is in no backup.
            thread::sleep(Duration::from_millis(100));
            process.terminate();
            assert_eq!(process.exit_code(), Some(0));
        },
    );
    assert!(told.handed.len() > 100, "{} handed", told.handed.len());
    restore(&file, again);
    let (whole, restored) = (history(folder), history(again));
    let by_id: HashMap<AllocationId, &PastAllocation> =
        whole.iter().map(|past| (past.record.id, past)).collect();
    for past in &restored {
        let kept = by_id[&past.record.id];
        assert_eq!(past.record, kept.record);
        assert!(past.ended.is_none() || past.ended == kept.ended, "{past:?}");
    }
    let asked: Vec<_> = before
        .iter()
        .map(|handed| (handed.id, handed.repeated))
        .collect();
    let answered = acknowledged(asked.into_iter());
    assert!(answered.len() >= JUST_BEFORE);
    assert_eq!(
        violations(&restored, &answered, rules),
        Vec::<String>::new()
    );

    // The limits that were used up before are used up after: over both, every rule holds.
    let process = Process::start(serve(again));
    let callers = callers(&process, "after", 11);
    let mut running = None;
    let after = load(
        process,
        callers,
        |told| told.handed.len() >= HANDED_EACH,
        |process| running = Some(process),
    );
    let process = running.unwrap();
    process.terminate();
    assert_eq!(process.exit_code(), Some(0));
    assert!(after.handed.len() >= HANDED_EACH * CALLERS);
    let last = history(again);
    assert!(last.len() > restored.len());
    let asked = after
        .handed
        .iter()
        .map(|handed| (handed.id, handed.repeated));
    let answered: Vec<_> = acknowledged(asked);
    assert_eq!(violations(&last, &answered, rules), Vec::<String>::new());
    // What it was made of is whole, too: the backup took nothing from it.
    told.handed.extend(before);
    told.unknown.clear();
    assert_eq!(faults(&whole, &told), Vec::<String>::new());
    fs::remove_file(file).unwrap();
}

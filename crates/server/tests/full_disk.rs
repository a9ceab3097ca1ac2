//! The built binary on a disk that is full: an error, never a number that is not recorded, and life goes on afterwards.

#![cfg(target_os = "linux")]

#[path = "process_kit/client.rs"]
mod client;
#[path = "process_kit/inventory.rs"]
mod inventory;
#[path = "process_kit/load.rs"]
mod load;
#[path = "process_kit/process.rs"]
mod process;
#[path = "process_kit/verdict.rs"]
mod verdict;

use std::fs::File;
use std::path::Path;
use std::process::Command;

use caller_id_testkit::small_disk::SmallDisk;
use load::{Told, ask_again, callers, load};
use process::{BINARY, Process, configured};
use tempfile::TempDir;
use verdict::{faults, history};

/// The size at which a file of the service can grow no more, in blocks of 512 bytes.
const FILE_BLOCKS: u32 = 2_048;
/// So many failures on each connection, one after the other: the disk is full for everybody.
const IN_A_ROW: usize = 20;
/// How many requests a disk may take to be seen full, or free again.
const REQUESTS_MOST: usize = 50_000;

/// A machine that is slow for a while is not a disk that is full.
const DEADLINE_MS: &str = "20000";

/// The service, whose 503 says one thing alone.
fn serve(folder: &Path) -> Command {
    patient(process::serve(folder))
}

fn patient(mut command: Command) -> Command {
    command.env("REQUEST_DEADLINE_MS", DEADLINE_MS);
    command
}

/// The service with files that cannot grow past [`FILE_BLOCKS`], and a log that cannot be written at all.
fn serve_cramped(folder: &Path) -> Command {
    let mut shell = Command::new("/bin/sh");
    let script = format!("trap '' XFSZ; ulimit -f {FILE_BLOCKS}; exec \"$0\" serve");
    shell.args(["-c", &script, BINARY]);
    log_nowhere(patient(configured(shell, folder)))
}

/// A log on the same disk is full, too.
fn log_nowhere(mut command: Command) -> Command {
    let full = File::options().append(true).open("/dev/full");
    command.stderr(full.expect("every Linux has it"));
    command
}

/// The files of a service that has ended, on a disk with room: moving them into history takes some.
fn with_room(folder: &Path) -> TempDir {
    let roomy = tempfile::tempdir().expect("a folder");
    for entry in folder.read_dir().expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        if path.is_file() {
            std::fs::copy(&path, roomy.path().join(name)).expect("copied");
        }
    }
    roomy
}

fn fill(folder: &Path) {
    let process = Process::start(serve(folder));
    inventory::fill(&mut process.connect());
    process.terminate();
    assert_eq!(process.exit_code(), Some(0));
}

/// Puts load on it until nothing can be committed any more.
fn load_until_full(process: &Process, name: &str) -> Told {
    let enough = |told: &Told| told.unavailable_in_a_row >= IN_A_ROW;
    let told = load((), callers(process, name, 7), enough, |()| {});
    assert_eq!(told.cut, 0, "a connection ended");
    assert!(told.unavailable >= IN_A_ROW, "{}", told.unavailable);
    told
}

/// Makes new calls on one connection until `path` answers `status`; tells what the calls were told.
fn call_until(process: &Process, name: &str, path: &str, status: u16) -> Told {
    let mut client = process.connect();
    let mut caller = load::Caller::new(process.connect(), name.to_owned(), 11);
    for _ in 0..REQUESTS_MOST {
        if client.ask("GET", path, "").expect("an answer").status == status {
            return caller.told;
        }
        let call = caller.new_call();
        caller.ask_on(&call);
    }
    panic!("{path} never answered {status}: {:?}", caller.told.causes);
}

/// What monitors see of a service that cannot commit.
fn assert_it_says_so(process: &Process) {
    let mut client = process.connect();
    let mut ask = |path| client.ask("GET", path, "").expect("an answer");
    let health = ask("/health");
    assert_eq!(
        (health.status, health.text("db").as_deref()),
        (503, Some("error"))
    );
    assert_eq!(ask("/ready").status, 503);
    assert_eq!(ask("/live").status, 200);
}

#[test]
fn on_a_full_disk_callers_get_errors_and_no_number_that_is_not_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fill(folder);
    let process = Process::start(serve_cramped(folder));
    let mut told = load_until_full(&process, "filling");
    assert!(told.handed.len() > 50, "{} handed", told.handed.len());
    told.take(call_until(&process, "seen", "/ready", 503));
    assert_it_says_so(&process);
    let refused = load_until_full(&process, "full");
    let new = refused.handed.iter().filter(|handed| !handed.repeated);
    assert_eq!(new.count(), 0, "numbers are handed out on a full disk");
    told.take(refused);
    process.terminate();
    assert_eq!(process.exit_code(), Some(0));

    let process = Process::start(serve_cramped(folder));
    told.take(load_until_full(&process, "again"));
    process.kill();

    let process = Process::start(serve(folder));
    // On a slow machine all reservations have run out by now; that none is forgotten is looked at in there.
    ask_again(&process, "recovered", &mut told);
    let after = load(
        (),
        callers(&process, "after", 13),
        |told| told.handed.len() >= 20,
        |()| {},
    );
    assert_eq!((after.unavailable, after.cut), (0, 0));
    told.take(after);
    told.take(call_until(&process, "well", "/ready", 200));
    process.terminate();
    assert_eq!(process.exit_code(), Some(0));
    assert_eq!(faults(&history(folder), &told), Vec::<String>::new());
}

#[test]
fn a_full_disk_that_gets_room_again_is_used_again_by_the_same_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let Some(_disk) = SmallDisk::mount_on(folder, 4) else {
        return;
    };
    fill(folder);
    let filler = folder.join("filler");
    std::fs::write(&filler, vec![1; 3 << 20]).expect("there is room");
    let process = Process::start(log_nowhere(serve(folder)));
    let mut told = load_until_full(&process, "filling");
    assert!(told.handed.len() > 50, "{} handed", told.handed.len());
    told.take(call_until(&process, "seen", "/ready", 503));
    assert_it_says_so(&process);

    std::fs::remove_file(&filler).expect("removed");
    told.take(call_until(&process, "better", "/ready", 200));
    let after = load(
        (),
        callers(&process, "after", 13),
        |told| told.handed.len() >= 20,
        |()| {},
    );
    assert_eq!((after.unavailable, after.cut), (0, 0));
    told.take(after);
    process.terminate();
    assert_eq!(process.exit_code(), Some(0));
    let roomy = with_room(folder);
    assert_eq!(faults(&history(roomy.path()), &told), Vec::<String>::new());
}

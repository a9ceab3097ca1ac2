//! An Asterisk with a carrier behind it, on ports and in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use caller_id_core::{Clock, SystemClock, Timestamp};
use tempfile::TempDir;

use crate::gateway::{Invite, invites};
use crate::manager::Manager;
use crate::process::{Guarded, tcp_port, udp_port, wait_for};
use crate::stubs::CallLog;

/// The campaign's own caller ID: what a call shows that gets no number.
pub(crate) const OWN: &str = "17005550000";
/// The campaign of every call.
pub(crate) const CAMPAIGN: &str = "TESTCAMP";

/// A call that was placed.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// VICIdial's id of the call.
    pub(crate) id: String,
    pub(crate) destination: String,
    pub(crate) at: Timestamp,
}

/// Asterisk and the carrier. Dropping it ends them.
pub(crate) struct Rig {
    pub(crate) manager: Manager,
    asterisk: Guarded,
    _gateway: Guarded,
    call_log: CallLog,
    folder: TempDir,
    calls: u32,
}

impl Rig {
    /// Starts them, with these lines of carriers.
    pub(crate) fn start(carriers: &str) -> Self {
        let root = installed();
        let folder = tempfile::Builder::new()
            .prefix("rig-")
            .tempdir_in(root.join("var/tmp"))
            .expect("a folder in the Debian folder");
        let [sip, pjsip, gateway, media] = [(); 4].map(|()| udp_port());
        let manager = tcp_port();
        let inside = Path::new("/").join(folder.path().strip_prefix(&root).expect("it is within"));
        configure(
            folder.path(),
            &[
                ("@RIG@", inside.display().to_string()),
                ("@SIP@", sip.to_string()),
                ("@PJSIP@", pjsip.to_string()),
                ("@GATEWAY@", gateway.to_string()),
                ("@MANAGER@", manager.to_string()),
            ],
        );
        let call_log = CallLog::start();
        write_carriers(folder.path(), &call_log, carriers);
        let carrier = start_gateway(folder.path(), gateway, media);
        let asterisk = start_asterisk(&root, &inside, folder.path());
        let mut manager = wait_for("asterisk listens", || Manager::reach(manager));
        wait_for("asterisk is up", || {
            let said = manager.command("core waitfullybooted");
            said.contains("fully booted").then_some(())
        });
        Self {
            manager,
            asterisk,
            _gateway: carrier,
            call_log,
            folder,
            calls: 0,
        }
    }

    /// Puts other lines of carriers in the place of those that are there. Gives what Asterisk complains of.
    pub(crate) fn reload(&mut self, carriers: &str) -> Vec<String> {
        let before = self.complaints().len();
        write_carriers(self.folder.path(), &self.call_log, carriers);
        let said = self.manager.command("dialplan reload");
        assert!(said.contains("Dialplan reloaded"), "{said}");
        self.complaints().split_off(before)
    }

    /// All warnings and errors of Asterisk.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.log();
        let complaint = |line: &&str| line.contains(" WARNING[") || line.contains(" ERROR[");
        log.lines().filter(complaint).map(str::to_owned).collect()
    }

    /// Places a call to `9` and that destination, as the dialer does.
    pub(crate) fn call(&mut self, destination: &str) -> Placed {
        self.call_by("9", destination)
    }

    /// The same, with another dial prefix.
    pub(crate) fn call_by(&mut self, prefix: &str, destination: &str) -> Placed {
        self.calls += 1;
        let id = format!("V123061500{:010}", self.calls);
        self.call_of(&id, prefix, destination)
    }

    /// Places a call to `9` and that destination that has this id.
    pub(crate) fn call_as(&mut self, id: &str, destination: &str) -> Placed {
        self.call_of(id, "9", destination)
    }

    fn call_of(&mut self, id: &str, prefix: &str, destination: &str) -> Placed {
        let placed = Placed {
            id: id.to_owned(),
            destination: destination.to_owned(),
            at: SystemClock::new().now(),
        };
        let caller_id = format!("\"{id}\" <{OWN}>");
        self.manager
            .originate(&format!("Local/{prefix}{destination}@default"), &caller_id);
        placed
    }

    /// Places so many calls, a number of them each second, each to another destination; `between` is told of each.
    pub(crate) fn calls(
        &mut self,
        calls: u32,
        per_second: u32,
        mut between: impl FnMut(u32),
    ) -> Vec<Placed> {
        const AREA_CODES: [u16; 10] = [312, 212, 415, 305, 702, 404, 617, 713, 206, 602];
        let begun = SystemClock::new().now();
        let place = |call: u32| {
            let due = begun.plus_ms(i64::from(call) * 1_000 / i64::from(per_second));
            let early = due.ms_since(SystemClock::new().now());
            // So many calls a second are the load that is wanted.
            thread::sleep(Duration::from_millis(early.max(0).unsigned_abs()));
            between(call);
            // One in five is busy, one declines.
            let office = [555, 555, 556, 555, 557][call as usize / AREA_CODES.len() % 5];
            let area_code = AREA_CODES[call as usize % AREA_CODES.len()];
            self.call(&format!("1{area_code}{office}{:04}", 2_000 + call))
        };
        (0..calls).map(place).collect()
    }

    /// Waits until the carrier saw so many calls and all are over, and gives what it saw.
    pub(crate) fn seen(&mut self, calls: usize) -> Vec<Invite> {
        let log = self.folder.path().join("gateway.log");
        let invites = wait_for(&format!("the carrier sees {calls} calls"), || {
            Some(invites(&log)).filter(|invites| invites.len() >= calls)
        });
        self.quiet();
        assert_eq!(invites.len(), calls);
        invites
    }

    /// What the carrier saw until now.
    pub(crate) fn seen_until_now(&self) -> Vec<Invite> {
        invites(&self.folder.path().join("gateway.log"))
    }

    /// Waits until no call is left.
    pub(crate) fn quiet(&mut self) {
        wait_for("all calls end", || {
            (self.manager.channels() == 0).then_some(())
        });
    }

    /// The names of the calls for which VICIdial's `h` extension ran on the side that dials, once for each time.
    pub(crate) fn h_ran(&self) -> Vec<String> {
        let log = self.log();
        let ran = log.lines().filter_map(|line| {
            let (_, rest) = line.split_once(" H of Local/")?;
            let (channel, name) = rest.split_once(" for ")?;
            channel.ends_with(";2").then(|| name.trim().to_owned())
        });
        ran.collect()
    }

    fn log(&self) -> String {
        let log = fs::read(self.folder.path().join("log/full")).expect("asterisk writes a log");
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // Asked to, it ends its own children too.
        self.asterisk.end();
    }
}

/// The Debian folder that holds Asterisk: made when it is not there.
fn installed() -> PathBuf {
    let script = project().join("scripts/asterisk/install.sh");
    let made = Command::new("sh")
        .arg(script)
        .stderr(Stdio::inherit())
        .output();
    let made = made.expect("sh runs");
    assert!(
        made.status.success(),
        "make test-asterisk says what is missing"
    );
    let said = String::from_utf8(made.stdout).expect("a path is text");
    PathBuf::from(said.lines().last().expect("the folder"))
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn configure(folder: &Path, values: &[(&str, String)]) {
    for name in ["etc", "lib", "log", "run", "spool"] {
        fs::create_dir(folder.join(name)).expect("a folder");
    }
    for entry in fs::read_dir(project().join("scripts/asterisk/etc")).expect("the templates") {
        let entry = entry.expect("an entry");
        let text = fs::read_to_string(entry.path()).expect("a template is text");
        let text = values
            .iter()
            .fold(text, |text, (name, value)| text.replace(name, value));
        fs::write(folder.join("etc").join(entry.file_name()), text).expect("written");
    }
}

/// VICIdial's own FastAGI is another one here: on a port of its own.
fn write_carriers(folder: &Path, call_log: &CallLog, carriers: &str) {
    let own = format!("agi://127.0.0.1:{}/call_log", call_log.port());
    let carriers = carriers.replace("agi://127.0.0.1:4577/call_log", &own);
    fs::write(folder.join("etc/carriers.conf"), carriers).expect("written");
}

fn start_gateway(folder: &Path, port: u16, media: u16) -> Guarded {
    let out = fs::File::create(folder.join("gateway.out")).expect("a file");
    let mut command = Command::new("sipp");
    command
        .arg("-sf")
        .arg(project().join("scripts/asterisk/gateway.xml"))
        .args([
            "-i",
            "127.0.0.1",
            "-p",
            &port.to_string(),
            "-mp",
            &media.to_string(),
        ])
        .args([
            "-nostdin",
            "-trace_logs",
            "-log_overwrite",
            "false",
            "-log_file",
        ])
        .arg(folder.join("gateway.log"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::null());
    Guarded::start(&mut command)
}

fn start_asterisk(root: &Path, inside: &Path, folder: &Path) -> Guarded {
    let out = fs::File::create(folder.join("asterisk.out")).expect("a file");
    let mut command = Command::new("chroot");
    command
        .arg(root)
        .args(["/usr/sbin/asterisk", "-f", "-C"])
        .arg(inside.join("etc/asterisk.conf"))
        .stdin(Stdio::null())
        .stdout(out.try_clone().expect("a handle"))
        .stderr(out);
    Guarded::start(&mut command)
}

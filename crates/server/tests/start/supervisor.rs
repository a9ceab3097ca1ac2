//! What the service tells systemd.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use crate::run::Running;

/// systemd's end.
struct Told(UnixDatagram);

impl Told {
    fn at(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Self(socket)
    }

    fn next(&self) -> String {
        let mut words = [0; 1_000];
        let length = self.0.recv(&mut words).expect("it is told in time");
        String::from_utf8(words[..length].to_vec()).unwrap()
    }

    /// What comes next and is no sign of life.
    fn news(&self) -> String {
        loop {
            let words = self.next();
            if words != "WATCHDOG=1" {
                return words;
            }
        }
    }
}

#[test]
fn systemd_is_told_of_the_start_of_life_and_of_the_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let told = Told::at(&path);
    let variables = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "300000"),
    ];
    let mut service = Running::start(folder.path(), &variables);
    let ready = told.next();
    assert!(
        ready.starts_with("READY=1\nSTATUS=listens on http://127.0.0.1:"),
        "{ready}"
    );
    for _ in 0..3 {
        assert_eq!(told.next(), "WATCHDOG=1");
    }
    service.until(&["listens on"]);
    let (code, _) = service.stop();
    assert!(told.news().starts_with("STOPPING=1\n"));
    assert_eq!(code, Some(0));
}

#[test]
fn dot_env_does_not_say_who_runs_the_service() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "NOTIFY_SOCKET=nowhere\n").unwrap();
    let mut service = Running::start(folder.path(), &[]);
    service.until(&["listens on"]);
    assert_eq!(service.stop().0, Some(0));
}

#[test]
fn a_socket_that_is_gone_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone");
    let mut service = Running::start(folder.path(), &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    service.until(&["cannot tell whoever runs the service"]);
    assert_eq!(service.stop().0, Some(0));
}

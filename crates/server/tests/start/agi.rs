//! Where Asterisk asks, as an admin is told.

use std::net::{TcpListener, TcpStream};

use crate::run::Running;

/// A port that nobody listens on.
fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut service = Running::start(folder.path(), &[("AGI_LISTEN", &address)]);
    let (code, said) = service.end();
    assert_eq!(code, Some(1));
    let why = said.join("\n");
    let expected =
        format!("cannot listen on {address} for FastAGI (AGI_LISTEN says where, or `off`)");
    assert!(why.contains(&expected), "{why}");
}

#[test]
fn the_banner_names_where_asterisk_asks() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Running::start(folder.path(), &[]);
    let line = service.until(&["FastAGI: agi://127.0.0.1:"]);
    let address = line.rsplit_once("//").unwrap().1;
    TcpStream::connect(address).unwrap();
    assert_eq!(service.stop().0, Some(0));
}

#[test]
fn without_fastagi_nothing_is_said_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Running::start(folder.path(), &[("AGI_LISTEN", "off")]);
    service.until(&["The admin token is"]);
    let (code, said) = service.stop();
    assert_eq!(code, Some(0));
    assert!(
        !said.iter().any(|line| line.contains("FastAGI")),
        "{said:?}"
    );
}

#[test]
fn what_everybody_guesses_and_what_refuses_everybody_beyond_this_machine_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("0.0.0.0:{}", free_port());
    let weak = [("AGI_LISTEN", &*address), ("DIALER_KEYS", "secret")];
    let mut service = Running::start(folder.path(), &weak);
    let (code, said) = service.end();
    let said = said.join("\n");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("DIALER_KEYS: ") && !said.contains("`secret`"),
        "{said}"
    );
    let mut service = Running::start(folder.path(), &[("AGI_LISTEN", &address)]);
    service.until(&[
        "AGI_LISTEN is beyond loopback",
        "dialers on other machines are refused",
    ]);
    service.until(&["The admin token is"]);
    assert_eq!(service.stop().0, Some(0));
}

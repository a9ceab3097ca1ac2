//! Facts about the command line and the environment.

use super::*;
use crate::cli::audit;

fn parsed(
    words: &[&str],
    variables: &[(&str, &str)],
    dot_env: &[(&str, &str)],
) -> Result<Parsed, String> {
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let words = std::iter::once("caller-id")
        .chain(words.iter().copied())
        .map(OsString::from);
    parse(
        words.collect(),
        &Environment::new(own(variables), own(dot_env)),
    )
    .map_err(|stop| match stop {
        Stop::Config(error) => error.to_string(),
        Stop::Clap(error) => error.to_string(),
    })
}

fn port(parsed: &Parsed) -> (String, Source) {
    let port = parsed
        .values
        .iter()
        .find(|value| value.name == "API_PORT")
        .unwrap();
    (port.value.clone().unwrap(), port.source)
}

#[test]
fn help_on_a_command_needs_no_good_environment() {
    for command in [
        "serve",
        "import",
        "export",
        "migrate",
        "check-config",
        "doctor",
        "dialplan",
        "pools set",
        "audit verify",
    ] {
        let help = parsed(
            &[&["help"][..], &command.split(' ').collect::<Vec<_>>()].concat(),
            &[("API_PORT", "1")],
            &[("DATA_DIR", "x")],
        );
        let help = help.unwrap_err();
        assert!(
            help.contains(&format!("Usage: caller-id {command}")),
            "{help}"
        );
        assert!(!help.starts_with("error"), "{help}");
    }
}

#[test]
fn the_flag_wins_over_the_environment_that_over_dot_env_that_over_the_default() {
    let all = parsed(
        &["serve", "--api-port=1"],
        &[("API_PORT", "2")],
        &[("API_PORT", "3")],
    )
    .unwrap();
    assert_eq!(port(&all), ("1".to_owned(), Source::Flag));
    let two = parsed(&["serve"], &[("API_PORT", "2")], &[("API_PORT", "3")]).unwrap();
    assert_eq!(port(&two), ("2".to_owned(), Source::Environment));
    let one = parsed(&["serve"], &[("API_PORT", "")], &[("API_PORT", "3")]).unwrap();
    assert_eq!(port(&one), ("3".to_owned(), Source::DotEnv));
    let none = parsed(&["serve"], &[], &[]).unwrap();
    assert_eq!(port(&none), ("8000".to_owned(), Source::Default));
}

#[test]
fn a_wrong_value_is_one_line_that_names_setting_value_and_what_was_expected() {
    let cases = [
        (
            ("API_PORT", "abc"),
            "API_PORT: `abc` is not valid: expected a port from 1 to 65535",
        ),
        (
            ("RESERVATION_TTL_SECONDS", "0"),
            "RESERVATION_TTL_SECONDS: `0` is not valid: expected a whole number from 1 to 86400",
        ),
        (
            ("RESERVATION_TTL_SECONDS", "-5"),
            "RESERVATION_TTL_SECONDS: `-5` is not valid: expected a whole number from 1 to 86400",
        ),
        (
            ("CALLER_ID_FORMAT", "x"),
            "CALLER_ID_FORMAT: `x` is not valid: expected national, digits or e164",
        ),
        (
            ("JWT_ALGORITHM", "none"),
            "JWT_ALGORITHM: `none` is not valid: expected HS256",
        ),
        (
            ("DURABILITY", "x"),
            "DURABILITY: `x` is not valid: expected process or power",
        ),
        (
            ("IP_WHITELIST", "10.0.0.0/99"),
            "IP_WHITELIST: `10.0.0.0/99` is not valid: `10.0.0.0/99` is no address or network like 10.1.2.3, 10.0.0.0/8 or 2001:db8::/32",
        ),
    ];
    for (variable, line) in cases {
        assert_eq!(
            parsed(&["serve"], &[variable], &[]).map(|_| ()),
            Err(line.to_owned())
        );
    }
}

#[test]
fn fault_17_empty_lists_are_like_none() {
    let names = [
        "ALLOWED_ORIGINS",
        "IP_WHITELIST",
        "DIALER_KEYS",
        "DIALER_ALLOW",
        "TRUSTED_PROXIES",
        "DIAL_PREFIXES",
        "REDIS_URL",
        "ADMIN_TOKEN",
    ];
    let empty = names.map(|name| (name, ""));
    let Command::Serve(args) = parsed(&["serve"], &[], &empty).unwrap().cli.command else {
        panic!("serve expected");
    };
    assert_eq!(args.settings.check(), Ok(()));
}

#[test]
fn secrets_are_hidden_among_the_values() {
    let parsed = parsed(&["serve"], &[("ADMIN_TOKEN", "horse-battery-7")], &[]).unwrap();
    assert!(!format!("{parsed:?}").contains("horse"));
}

#[test]
fn variables_of_somebody_else_are_not_our_flags() {
    assert!(parsed(&["serve"], &[("SHOW_TOKEN", "x"), ("HELP", "1")], &[]).is_ok());
}

#[test]
fn a_command_below_another_takes_the_settings_that_it_has() {
    let here = [("DATABASE_URL", "sqlite:x.db"), ("LADDER", "any")];
    let parsed = parsed(&["audit", "verify"], &here, &[]).unwrap();
    let Command::Audit(command) = parsed.cli.command else {
        panic!("audit expected");
    };
    let audit::AuditCommand::Verify(args) = *command else {
        panic!("verify expected");
    };
    let database = args.storage.database_shown().unwrap();
    assert!(database.ends_with("x.db"), "{database}");
}

#[test]
fn a_command_that_asks_a_service_takes_no_settings_of_this_machine() {
    let here = [
        ("STICKY_SECONDS", "3600"),
        ("LADDER", "any"),
        ("API_PORT", "x"),
    ];
    let words = ["pools", "set", "east", "--cooldown-seconds", "5"];
    let parsed = parsed(&words, &here, &[]).unwrap();
    let Command::Admin(command) = parsed.cli.command else {
        panic!("a command for administration expected");
    };
    let said = format!("{command:?}");
    assert!(
        said.contains("sticky_seconds: None") && said.contains("ladder: None"),
        "{said}"
    );
}

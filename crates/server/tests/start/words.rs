//! What is said of settings that name the wrong thing: it names the setting, and what to do.

use std::path::Path;
use std::process::Command;

use caller_id_testkit::postgres::Postgres;
use caller_id_testkit::redis::{Reach, RedisCluster, RedisSentinels, RedisSetup};

/// Parts of each password here.
const SECRET: &str = "horse-7";

/// What the doctor says is wrong with these settings.
fn told(folder: &Path, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caller-id"));
    command.env_clear().arg("doctor").env("DATA_DIR", folder);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(!said.contains(SECRET), "{said}");
    let mut lines = said.lines();
    let wrong = |line: &&str| line.starts_with("error ") || line.contains(" is not valid: ");
    lines.find(wrong).unwrap_or_default().to_owned()
}

/// What is wrong, the settings, and parts of what is told.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

fn tells(cases: &[Case<'_>]) {
    let folder = tempfile::tempdir().unwrap();
    for (what, variables, parts) in cases {
        let told = told(folder.path(), variables);
        for part in *parts {
            assert!(told.contains(part), "{what}: `{part}` is not in {told}");
        }
        assert!(told.matches(" -> ").count() <= 1, "{what}: {told}");
    }
}

#[test]
fn an_address_of_redis_that_names_the_wrong_thing_is_told_with_what_to_set() {
    let start = |reach, password: Option<&str>| {
        let setup = RedisSetup {
            reach,
            password: password.map(str::to_owned),
            ..RedisSetup::default()
        };
        setup.start()
    };
    let plain = start(Reach::Tcp, Some("right"));
    let encrypted = start(Reach::Tls, None);
    let authority = encrypted.authority().unwrap();
    let authority = authority.to_str().unwrap();
    let at = |scheme: &str, place: &str, port: u16, rest: &str| {
        format!("{scheme}://{place}:{port}/{rest}")
    };
    let url = |url: &str| vec![("REDIS_URL", url.to_owned())];
    let host = "localhost";
    let cases = [
        (
            url(&at("rediss", host, plain.port(), "0")),
            vec![
                "no answer within",
                "-> if it speaks no TLS, REDIS_URL begins with redis://",
            ],
        ),
        (
            url(&at("redis", host, encrypted.port(), "0")),
            vec!["-> if it speaks TLS alone, REDIS_URL begins with rediss://"],
        ),
        (
            url(&at("rediss", host, encrypted.port(), "0")),
            vec!["UnknownIssuer", "REDIS_TLS_CA"],
        ),
        (
            url(&at(
                "redis",
                &format!(":wrong-{SECRET}@{host}"),
                plain.port(),
                "0",
            )),
            vec![
                "-> correct user and password in REDIS_URL",
                "REDIS_PASSWORD",
            ],
        ),
        (
            url(&at("redis", host, plain.port(), "0")),
            vec!["NOAUTH", "-> it wants a password: set REDIS_PASSWORD"],
        ),
        (
            url(&at("redis", ":right@localhost", plain.port(), "99")),
            vec!["-> it has fewer databases: correct the number at the end of REDIS_URL"],
        ),
        (
            url(&at("redis", "no-such-host.invalid", 1, "0")),
            vec!["-> correct the host in REDIS_URL"],
        ),
        (
            url(&at("redis", "127.0.0.1", 1, "0")),
            vec![
                "refused",
                "-> start it there, or correct host and port in REDIS_URL",
            ],
        ),
        (
            url(&at(
                "redis-sentinel",
                ":right@localhost",
                plain.port(),
                "0?master=m&sentinel_password=right",
            )),
            vec!["-> it is Redis and no sentinel"],
        ),
        (
            url("redis://one,two/3"),
            vec!["REDIS_URL: ", "a cluster has database 0 alone"],
        ),
        (
            [
                url(&at("rediss", host, encrypted.port(), "0")),
                vec![("REDIS_TLS_CA", "/nowhere.pem".to_owned())],
            ]
            .concat(),
            vec!["REDIS_TLS_CA: `/nowhere.pem` is not valid: it cannot be read"],
        ),
        (
            [
                url(&at("rediss", host, encrypted.port(), "0")),
                vec![("REDIS_TLS_CA", "/proc/self/status".to_owned())],
            ]
            .concat(),
            vec!["REDIS_TLS_CA: `/proc/self/status` is not valid: it holds no certificate"],
        ),
        (
            [
                url(&at("rediss", "127.0.0.2", encrypted.port(), "0")),
                vec![("REDIS_TLS_CA", authority.to_owned())],
            ]
            .concat(),
            vec!["REDIS_URL"],
        ),
    ];
    let cases: Vec<_> = cases
        .iter()
        .map(|(variables, parts)| {
            let variables: Vec<_> = variables
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            (variables, parts)
        })
        .collect();
    for (variables, parts) in &cases {
        tells(&[(variables[0].1, variables, parts)]);
    }
}

#[test]
fn a_sentinel_and_a_node_of_a_cluster_that_are_taken_for_redis_are_told_from_it() {
    let sentinels = RedisSentinels::start(Reach::Tcp);
    let named = sentinels.url();
    let one = named
        .split("://")
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap();
    let one = one.rsplit('@').next().unwrap();
    let password = named.rsplit('=').next().unwrap();
    let taken_for_redis = format!("redis://:{password}@{one}/0");
    let no_master = format!("redis-sentinel://{one}/0?master=nobody&sentinel_password={password}");
    let no_password = format!("redis-sentinel://{one}/0?master=nobody");
    let cluster = RedisCluster::start();
    let cluster = cluster.url();
    let node = cluster.split("://").nth(1).unwrap();
    let node = node.split([',', '/']).next().unwrap();
    let other_database = format!("redis://{node}/2");
    tells(&[
        (
            "a sentinel",
            &[("REDIS_URL", &taken_for_redis)],
            &["it is a sentinel -> name it so: REDIS_URL=redis-sentinel://"],
        ),
        (
            "no password",
            &[("REDIS_URL", &no_password)],
            &["-> it wants a password: &sentinel_password="],
        ),
        (
            "another master",
            &[("REDIS_URL", &no_master)],
            &[
                "`nobody`",
                "-> correct the name behind master= in REDIS_URL",
            ],
        ),
        (
            "a database of a cluster",
            &[("REDIS_URL", &other_database)],
            // Clusters of Valkey 9 may have more than one: they say that it is out of range.
            &["-> ", " database", "REDIS_URL"],
        ),
    ]);
}

#[test]
fn an_address_of_postgresql_that_names_the_wrong_thing_is_told_with_what_to_set() {
    let rules = "local all postgres trust\nlocal all all scram-sha-256\n";
    let server = Postgres::start_with(&[], &[("pg_hba.conf", rules)]);
    server.psql("postgres", "CREATE ROLE cid LOGIN PASSWORD 'right'");
    let folder = server.folder().display();
    let at = |login: &str, database: &str, more: &str| {
        format!("postgres://{login}@localhost/{database}?host={folder}{more}")
    };
    let cases = [
        (
            at(&format!("cid:wrong-{SECRET}"), "postgres", ""),
            "authentication failed for user \"cid\" -> correct user and password in DATABASE_URL",
        ),
        (
            at("cid:right", "nowhere", ""),
            "database \"nowhere\" does not exist -> correct the database in DATABASE_URL",
        ),
        (
            "postgres://cid@no-such-host.invalid/x".to_owned(),
            "-> correct the host in DATABASE_URL",
        ),
        (
            "postgres://cid@127.0.0.1:1/x".to_owned(),
            "-> start PostgreSQL there, or correct host and port in DATABASE_URL",
        ),
        (
            "postgres://cid@localhost/x?host=/nowhere".to_owned(),
            "-> start PostgreSQL, or correct what DATABASE_URL names",
        ),
    ];
    for (url, part) in &cases {
        tells(&[(url, &[("DATABASE_URL", url)], &[part])]);
    }
    // What a statement says, too: the doctor asks for this right before.
    let url = at("cid:right", "postgres", "");
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = crate::run::Running::start(folder.path(), &[("DATABASE_URL", &url)]).end();
    let said = said.join("\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("permission denied") && !said.contains("at line"),
        "{said}"
    );
}

//! The checks themselves: what is wrong is found, what is right is not.

use std::sync::LazyLock;

use crate::foreign::Foreign;
use crate::known::Known;
use crate::names::runbook_links;
use crate::page::{Page, anchor};
use crate::{faults, files};

/// What is found on a page of this text.
fn found(text: &str) -> Vec<String> {
    static KNOWN: LazyLock<Known> = LazyLock::new(Known::gather);
    let page = Page::read("docs/planted.md", text);
    faults(&page, &KNOWN, &Foreign::default())
}

#[test]
fn what_is_wrong_is_found() {
    for (text, expected) in [
        ("`caller-id dcotor`", "`caller-id` has no command `dcotor`"),
        (
            "`caller-id numbers lsit`",
            "`numbers` has no command `lsit`",
        ),
        ("`caller-id doctor --jsn`", "`doctor` has no flag `--jsn`"),
        (
            "    sudo -u caller-id caller-id import --mod db",
            "`import` has no flag `--mod`",
        ),
        (
            "    caller-id import --csv a.csv --mode dbb",
            "invalid value 'dbb'",
        ),
        ("    caller-id pools set", "required arguments"),
        (
            "    cat a | docker compose exec -T api caller-id imprt --csv -",
            "no command `imprt`",
        ),
        (
            "    docker run --rm caller-id:0.1.0 init-evn",
            "no command `init-evn`",
        ),
        (
            "    docker compose run --rm api doctr",
            "no command `doctr`",
        ),
        (
            "    sh -c 'cd /tmp && caller-id helth'",
            "no command `helth`",
        ),
        (
            "    wibble --unit caller-id",
            "what is `caller-id` to `wibble`?",
        ),
        ("`use a caller-id`", "what is `caller-id` to `use`?"),
        ("by `--mdoe db`", "no command has this flag"),
        ("`make bnech`", "the Makefile has no target `bnech`"),
        ("with REDIS_UR set", "`REDIS_UR` is no setting"),
        ("    LADER=any", "`LADER` is no setting, and gets a value"),
        (
            "    API_PORT=8000  # the port",
            "a remark behind the value of `API_PORT`",
        ),
        (
            "`caller_id_requets_total`",
            "`caller_id_requets_total` is no metric",
        ),
        ("`caller_id_requests_total_bucket`", "is no metric"),
        ("`process_opn_fds`", "is no metric"),
        ("CallerIdNodeGone", "is no alert"),
        ("`GET /api/v1/numbrs`", "there is no such route"),
        ("`DELETE /api/v1/numbers`", "the route is not for DELETE"),
        (
            "    curl 'http://127.0.0.1:8000/next-cid?too=1'",
            "it takes no `too`",
        ),
        (
            "    curl http://127.0.0.1:8000/helth",
            "no route and no folder",
        ),
        (
            "`https://cid.example.com/api/v2/numbers`",
            "there is no such route",
        ),
        ("`agi://127.0.0.1/next-cd`", "FastAGI has no such script"),
        (
            "`http://elsewhere.example.com/x`",
            "the host `elsewhere.example.com` is not known",
        ),
        (
            "[x](https://elsewhere.example.com/)",
            "a link to `elsewhere.example.com`",
        ),
        ("[x](clustr.md)", "`docs/clustr.md` is not there"),
        (
            "[x](cluster.md#nowhere)",
            "`docs/cluster.md` has no section `#nowhere`",
        ),
        (
            "![x](pictures/none.png)",
            "`docs/pictures/none.png` is not there",
        ),
        (
            "[x](../crates/server/Cargo.toml)",
            "the package has this page and not",
        ),
        (
            "`deploy/grafana/none.json`",
            "`deploy/grafana/none.json` is not there",
        ),
        ("```log\nWARN the moon eats no cheese\n```", "nothing says"),
    ] {
        let found = found(text);
        assert!(
            found.iter().any(|fault| fault.contains(expected)),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn what_is_right_is_left_alone() {
    for text in [
        "`caller-id help COMMAND`, `caller-id keys make`, `caller-id migrate --from … --to …`, `--mode db`",
        "    sudo -u caller-id caller-id import --mode db --csv a.csv    # as the user of the service",
        "    caller-id keys make report --role viewer > report.key 2>/dev/null || echo no",
        "it says `another caller-id serve uses`, and `/mnt/backups` is there",
        "    caller-id numbers export - | gzip >numbers.csv.gz",
        "    docker compose exec -T api caller-id import --csv - < data/caller_ids_example.csv",
        "    docker compose run --rm embedded doctor --json",
        "    DATABASE_URL=sqlite:x.db target/release/caller-id serve --show-token",
        "`make test`, `make bench PART=pick`",
        "API_PORT, CALLER_ID_KEY, `LADDER=any`, `caller_id_commit_duration_seconds_bucket`, CallerIdPoolEmpty",
        "    export API_PORT=8001    # here a shell reads it",
        "`GET /ready`, `POST /api/v1/numbers/{number}/pause`, `/api/v1/keys/…`, `/etc/caller-id/caller-id.env`",
        "    curl 'http://127.0.0.1:8000/next-cid?to=13125550123&campaign=DEMO'",
        "[x](cluster.md#a-load-balancer) `docs/cluster.md`",
        "```log\nERROR redis cannot be used: calls are refused until it can\n```",
    ] {
        assert_eq!(found(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn faults_tell_their_line() {
    let found = found(
        "# A\n\nb\n\n    caller-id doctor\n    caller-id dcotor\n\n```sh\ncaller-id hlp\n```\n",
    );
    let lines: Vec<&str> = found
        .iter()
        .filter_map(|fault| fault.split(':').nth(1))
        .collect();
    assert_eq!(lines, ["6", "9"], "{found:?}");
}

#[test]
fn headings_are_led_to_as_forges_do_it() {
    assert_eq!(anchor("What happens when …"), "what-happens-when-");
    assert_eq!(anchor("`agi://host/next-cid`"), "agihostnext-cid");
}

#[test]
fn an_alert_without_a_section_is_found() {
    let rules = "groups: [{name: a, rules: [{alert: A, annotations: {runbook: 'docs/runbook.md#nowhere'}}, \
        {alert: B, annotations: {summary: b}}, {alert: C, annotations: {runbook: 'docs/cluster.md'}}]}]";
    let known = Known::gather();
    let wrong = runbook_links(rules, &|target| files::leads(target, &known));
    assert_eq!(wrong.len(), 3, "{wrong:?}");
}

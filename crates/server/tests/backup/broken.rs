//! Files that are no whole backups: none is taken for one, and nothing is written.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use caller_id::backup::pack::Packer;
use caller_id::backup::record::Record;
use caller_id::backup::unpack::Unpacker;
use caller_id::backup::{FORMAT, Head, Kind};
use caller_id_core::history_query::Calls;
use caller_id_core::roles::{ApiKey, KeyId};
use caller_id_core::takeover::{HourPlace, HourSum, RemovedNumber, SumMarks};
use caller_id_core::{Limits, Number, Pool, PoolId};
use caller_id_testkit::builders::{START, campaign, number, pool};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::data::key;
use super::{restore, run, said, small, status};

fn head() -> Head {
    Head {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        source: Kind::Sqlite,
        schema: 1,
        at: START,
        numbers: 1,
    }
}

fn records() -> Vec<Record> {
    vec![
        Record::Pool(Pool::new(PoolId::default())),
        Record::Number(Number::new(number(312, 1))),
        Record::Marks(SumMarks::default()),
    ]
}

fn packed(head: &Head, records: &[Record]) -> Vec<u8> {
    let mut packer = Packer::new(Vec::new(), head).unwrap();
    records
        .iter()
        .for_each(|record| packer.add(record).unwrap());
    packer.finish().unwrap().output
}

/// Reads a file to its end. What is wrong with it, if anything.
fn fault(path: &Path) -> Option<String> {
    let read = || -> Result<(), caller_id::backup::unpack::Fault> {
        let mut backup = Unpacker::new(File::open(path)?)?;
        while backup.next_record()?.is_some() {}
        Ok(())
    };
    read().err().map(|fault| fault.to_string())
}

fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("file.gz");
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn every_bit_counts_and_every_byte_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let whole = packed(&head(), &records());
    assert_eq!(fault(&write(folder.path(), &whole)), None);
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << bit;
            let found = fault(&write(folder.path(), &flipped));
            assert!(found.is_some(), "bit {bit} of byte {place}");
        }
        let found = fault(&write(folder.path(), &whole[..place]));
        assert!(found.is_some(), "cut off at {place}");
    }
    let more = [&whole[..], b"\n"].concat();
    assert!(fault(&write(folder.path(), &more)).is_some());
    let twice = [&whole[..], &whole].concat();
    assert!(fault(&write(folder.path(), &twice)).is_some());
}

#[test]
fn records_that_are_missing_doubled_or_out_of_their_order_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let [pool, one, marks] = <[Record; 3]>::try_from(records()).unwrap();
    let more = Record::Number(Number::new(number(312, 2)));
    let two = Head {
        numbers: 2,
        ..head()
    };
    let is_whole = |head: &Head, records: &[&Record]| {
        let records: Vec<_> = records.iter().map(|&record| record.clone()).collect();
        fault(&write(folder.path(), &packed(head, &records))).is_none()
    };
    assert!(is_whole(&two, &[&pool, &one, &more, &marks]));
    for (head, wrong) in [
        (head(), vec![&pool, &one]),
        (head(), vec![&one, &marks]),
        (head(), vec![&pool, &marks]),
        (head(), vec![&pool, &marks, &one]),
        (head(), vec![&pool, &one, &marks, &marks]),
        (two.clone(), vec![&pool, &one, &one, &marks]),
        (two.clone(), vec![&pool, &more, &one, &marks]),
        (two, vec![&pool, &one, &marks]),
    ] {
        assert!(!is_whole(&head, &wrong), "{wrong:?}");
    }
}

#[test]
fn what_is_there_twice_or_names_what_is_not_there_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let [default, one, marks] = <[Record; 3]>::try_from(records()).unwrap();
    let solar = Record::Pool(Pool::new(pool("solar")));
    let of_campaign = |pools: &[&str]| Record::Campaign(campaign("SOLAR", pools));
    let of_key = |id: &str, revoked: bool| {
        Record::Key(ApiKey {
            id: KeyId(id.to_owned()),
            revoked_at: revoked.then_some(START),
            ..key("east")
        })
    };
    let deleted = |line| {
        Record::Deleted(RemovedNumber {
            number: number(312, line),
            area_code: None,
            pool: pool("gone"),
            limits: Limits::NONE,
            removed_at: START,
        })
    };
    let place = HourPlace {
        what: 0,
        hour_ms: 0,
        pool: "gone".to_owned(),
        campaign: String::new(),
        key: String::new(),
    };
    let hour = |calls| {
        Record::Hour(HourSum {
            place: place.clone(),
            calls: Calls::of_counts([calls; 7]),
        })
    };
    let most = i64::MAX as u64;
    let elsewhere = Record::Number(Number {
        pool: pool("solar"),
        ..Number::new(number(312, 1))
    });
    let pools = [&default, &solar];
    let own = of_campaign(&["solar", "default"]);
    let (live, revoked, other) = (of_key("a", false), of_key("b", true), of_key("c", false));
    let with = |number: &Record, more: &[&Record]| -> Vec<Record> {
        let all = pools.iter().copied().chain([number]);
        let all = all.chain(more.iter().copied()).chain([&marks]);
        all.cloned().collect()
    };
    let many = [&own, &deleted(2), &live, &revoked, &hour(most)];
    for (told, records) in [
        (None, with(&one, &many)),
        (None, with(&elsewhere, &[])),
        (
            Some("pool `default` is there twice"),
            [std::slice::from_ref(&default), &with(&one, &[])].concat(),
        ),
        (
            Some("names the pool `solar`, which is not there"),
            vec![default.clone(), elsewhere, marks.clone()],
        ),
        (
            Some("campaign `SOLAR` names the pool `gone`"),
            with(&one, &[&of_campaign(&["default", "gone"])]),
        ),
        (
            Some("campaign `SOLAR` is there twice"),
            with(&one, &[&own, &of_campaign(&["default"])]),
        ),
        (
            Some("is deleted and is among the numbers"),
            with(&one, &[&deleted(1)]),
        ),
        (
            Some("API key `b` is there twice"),
            with(&one, &[&live, &revoked, &revoked]),
        ),
        (
            Some("API key `c` has the name of another, `east`"),
            with(&one, &[&live, &revoked, &other]),
        ),
        (
            Some("are more than are kept"),
            with(&one, &[&hour(most + 1)]),
        ),
    ] {
        let file = write(folder.path(), &packed(&head(), &records));
        let found = fault(&file);
        let Some(told) = told else {
            assert_eq!(found, None);
            continue;
        };
        assert!(
            found.as_ref().is_some_and(|found| found.contains(told)),
            "{told}: {found:?}"
        );
        let checked = run(&["backup", "--check", file.to_str().unwrap()]);
        assert_eq!(status(&checked), 1, "{told}");
        assert!(said(&checked).contains(told), "{}", said(&checked));
    }
}

#[test]
fn what_is_newer_foreign_or_forged_is_refused_in_one_line_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let gzip = |text: &str| {
        let mut member = GzEncoder::new(Vec::new(), Compression::default());
        member.write_all(text.as_bytes()).unwrap();
        member.finish().unwrap()
    };
    let newer = Head {
        format: FORMAT + 1,
        ..head()
    };
    let schema = Head {
        schema: 99,
        ..head()
    };
    let escapes = Head {
        version: "\u{1b}[2J0.1".to_owned(),
        schema: 99,
        ..head()
    };
    let whole = packed(&head(), &records());
    for (bytes, told) in [
        (packed(&newer, &records()), "use a newer caller-id"),
        (packed(&schema, &records()), "schema version 99"),
        (packed(&escapes, &records()), "schema version 99"),
        (
            gzip("caller_id\n13125550123\n"),
            "is no backup of caller-id",
        ),
        (b"SQLite format 3\0 and more".to_vec(), "is no backup"),
        (Vec::new(), "is no backup of caller-id"),
        (whole[..whole.len() / 2].to_vec(), "broken or was changed"),
        (whole[..whole.len() - 1].to_vec(), "broken or was changed"),
        (packed(&head(), &records()[..2]), "broken or was changed"),
    ] {
        let file = write(folder.path(), &bytes);
        let target = folder.path().join("target");
        let refused = restore(&file, &format!("sqlite:{}/a.db", target.display()));
        assert_eq!(status(&refused), 1, "{told}");
        let said = said(&refused);
        assert!(said.contains(told), "{told}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
        assert!(!target.exists(), "{told}: something was written");
        let checked = run(&["backup", "--check", file.to_str().unwrap()]);
        assert_eq!(status(&checked), 1, "{told}");
    }
    let file = write(
        folder.path(),
        &packed(
            &Head {
                version: "\u{1b}[2J\n0.1".to_owned(),
                ..head()
            },
            &records(),
        ),
    );
    let checked = run(&["backup", "--check", file.to_str().unwrap()]);
    assert_eq!(status(&checked), 0);
    let told = String::from_utf8(checked.stdout).unwrap();
    assert!(
        !told.contains('\u{1b}') && told.lines().count() == 1,
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_one_cut_off_or_changed_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_source, file) = small(folder.path()).await;
    let whole = fs::read(&file).unwrap();
    assert_eq!(fault(&file), None);
    let step = whole.len() / 97;
    for place in (0..whole.len()).step_by(step) {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x10;
        assert!(fault(&write(folder.path(), &flipped)).is_some(), "{place}");
        assert!(
            fault(&write(folder.path(), &whole[..place])).is_some(),
            "{place}"
        );
    }
}

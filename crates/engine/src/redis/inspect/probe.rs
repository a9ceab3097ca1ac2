//! Whether scripts run, and may write what ours write.

use caller_id_core::AllocatorError;
use redis::{Script, Value, cmd};

use super::super::error::unavailable;
use super::super::keys::Keys;
use super::super::link::Told;
use super::super::scripts::TRIAL;
use super::{Question, Writes};

/// Commands of ours that no script calls: they run scripts.
const EVALSHA: &str = "EVALSHA";
const SCRIPT_LOAD: &str = "SCRIPT LOAD";
/// Any script.
const NOTHING: &str = "return 1";

/// Tries it.
pub(super) async fn probe(server: &mut Question, keys: &Keys) -> Result<Writes, AllocatorError> {
    let mut nothing = cmd("EVAL");
    nothing.arg(NOTHING).arg(0);
    if let Told::Refused(why) = server.tell::<i64>(&nothing).await.map_err(unavailable)? {
        return Ok(Writes::NoScripts(why));
    }
    let trial = format!("{TRIAL} return trial(KEYS[1])");
    let mut all = cmd("EVAL");
    all.arg(trial).arg(1).arg(keys.probe());
    let tried = server.tell::<Vec<String>>(&all).await;
    let mut forbidden = match tried.map_err(unavailable)? {
        Told::Answered(forbidden) => forbidden,
        Told::Refused(why) => return Ok(Writes::Refused(why)),
    };
    forbidden.extend(runs_scripts(server).await?);
    Ok(match once_each(forbidden) {
        none if none.is_empty() => Writes::Work,
        forbidden => Writes::Forbidden(forbidden),
    })
}

/// Which of the commands that run scripts are forbidden, as rights have them.
async fn runs_scripts(server: &mut Question) -> Result<Vec<String>, AllocatorError> {
    let mut load = cmd("SCRIPT");
    load.arg("LOAD").arg(NOTHING);
    let mut run = cmd(EVALSHA);
    run.arg(Script::new(NOTHING).get_hash()).arg(0);
    let mut forbidden = Vec::new();
    for (name, command) in [(SCRIPT_LOAD, load), (EVALSHA, run)] {
        match server.tell::<Value>(&command).await.map_err(unavailable)? {
            Told::Refused(why) if why.contains(" run th") => {
                forbidden.push(name.to_lowercase().replace(' ', "|"));
            }
            // Where a script may not be loaded, it is not known there.
            Told::Refused(_) | Told::Answered(_) => {}
        }
    }
    Ok(forbidden)
}

/// The same names, sorted, each once.
pub(in crate::redis) fn once_each(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands that a script calls by `how`.
    fn commands<'a>(script: &'a str, how: &str) -> Vec<&'a str> {
        let calls = script.split(how).skip(1);
        calls.filter_map(|rest| rest.split('\'').next()).collect()
    }

    #[test]
    fn every_command_of_our_scripts_is_tried_and_is_among_the_documented_rights() {
        let documented = include_str!("../../../../../docs/redis-keys.md");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/redis/scripts");
        for file in std::fs::read_dir(folder).unwrap() {
            let script = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for command in commands(&script, "call('") {
                assert!(
                    commands(TRIAL, "try('").contains(&command),
                    "{command} is in the trial"
                );
                let right = format!("+{} ", command.to_lowercase());
                assert!(
                    documented.contains(&right),
                    "`{right}` stands in docs/redis-keys.md"
                );
            }
        }
    }
}

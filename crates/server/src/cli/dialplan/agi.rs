//! Lines that ask by FastAGI. Campaign, agent and call are known to the service from the channel.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::DialplanArgs;
use super::lines::Lines;
use super::words::Key;

/// Seconds that a service may take which is there and says nothing. Asterisk itself would wait for ever; ours answers or closes
/// within 150 ms unless its process was stopped.
const PATIENCE_S: u32 = 1;

/// Writes the extension and its hang-up handler.
pub(super) fn write(args: &DialplanArgs, hosts: &[String], lines: &mut Lines) {
    args.begin(lines);
    args.push_end(lines);
    lines.comment("The service sets CALLERID(num), and CIDROT_STATUS to OK; with any other status it changed nothing");
    lines.step("Set(CIDROT_STATUS=)");
    lines.comment("A caller who hangs up meanwhile is not kept waiting");
    lines.step("Set(AGIEXITONHANGUP=yes)");
    ask(args, hosts, lines);
    lines.labelled("asked", "Set(TIMEOUT(absolute)=0)");
    lines.step("Set(AGIEXITONHANGUP=)");
    lines.step(
        "ExecIf($[\"${CIDROT_STATUS}\" = \"\"]?Log(WARNING,caller-id gave no answer: ${EXTEN} keeps its caller ID))",
    );
    args.dial("", lines);
    end(args, hosts, lines);
    if !args.another {
        lines.comment(
            "Where a call goes on that had no answer in time; one such line serves all carriers",
        );
        lines.extension("T", "Goto(${CIDROT_BACK})");
    }
}

/// The second is asked when the first was not there or could not tell.
fn ask(args: &DialplanArgs, hosts: &[String], lines: &mut Lines) {
    let query = query(args, &[("to", &args.destination())]);
    for (place, host) in hosts.iter().enumerate() {
        if place > 0 {
            lines.labelled(
                "next",
                "GotoIf($[\"${CIDROT_STATUS}\" != \"\" & \"${CIDROT_STATUS}\" != \"UNAVAILABLE\"]?asked)",
            );
        }
        let back = if place + 1 < hosts.len() {
            "next"
        } else {
            "asked"
        };
        lines.step(&format!("Set(CIDROT_BACK=${{CONTEXT}},${{EXTEN}},{back})"));
        lines.step(&format!("Set(TIMEOUT(absolute)={PATIENCE_S})"));
        if hosts.len() > 1 {
            lines.step(&format!("Set(CIDROT_NODE={host})"));
        }
        lines.step(&format!("AGI({host}/next-cid{query})"));
    }
}

fn end(args: &DialplanArgs, hosts: &[String], lines: &mut Lines) {
    lines.comment(
        "How the call ended, read by the service from the channel; the h extension is left alone",
    );
    lines.extension(
        &args.end_extension(),
        "GotoIf($[\"${CIDROT_STATUS}\" != \"OK\"]?done)",
    );
    let query = query(args, &[]);
    match hosts {
        [first, second] => {
            // A node that said nothing at the lookup is not asked: here nothing cuts it short.
            lines.step(&format!("AGI(${{CIDROT_NODE}}/call-result{query})"));
            lines.step(&format!(
                "GotoIf($[\"${{AGISTATUS}}\" = \"SUCCESS\" | \"${{CIDROT_NODE}}\" != \"{first}\"]?done)"
            ));
            lines.step(&format!("AGI({second}/call-result{query})"));
        }
        hosts => hosts
            .iter()
            .for_each(|host| lines.step(&format!("AGI({host}/call-result{query})"))),
    }
    // A fail-over line that asked again has pushed the handler again: it has nothing more to tell.
    lines.labelled("done", "Set(CIDROT_STATUS=)");
    lines.step("Return()");
}

/// What the service does not find out by itself.
fn query(args: &DialplanArgs, more: &[(&str, &str)]) -> String {
    let mut pairs: Vec<String> = more
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if args.plain {
        pairs.push("call=${UNIQUEID}".to_owned());
        pairs.extend(
            args.campaign
                .iter()
                .map(|campaign| format!("campaign={campaign}")),
        );
    }
    let encoded = |key: &Key| utf8_percent_encode(key.reveal(), NON_ALPHANUMERIC).to_string();
    pairs.extend(args.key.iter().map(|key| format!("key={}", encoded(key))));
    match pairs.is_empty() {
        true => String::new(),
        false => format!("?{}", pairs.join("&")),
    }
}

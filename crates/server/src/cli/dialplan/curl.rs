//! Lines that ask over HTTP.

use caller_id_core::NumberFormat;

use super::DialplanArgs;
use super::lines::{Lines, SIP_CODE, sip_answer};

/// The body of such an answer is not used.
const FAILURE_CODES: &str = "400,401,403,404,405,408,413,422,429,500,502,503,504";

/// Names of calls that are no customer's: agent sessions, monitors, park, each with a time in it. People's names begin so, too.
const NO_CUSTOMER: &str = "^(S|AC|BM|BB|BW|LP)[^ ]*[0-9]{8}";

/// VICIdial's ids of calls to customers, of 20 characters. Any other name is a person's, who may call more than once.
const CUSTOMER: &str = "^(V|M|D)[0-9CW]{19}( |$)";

/// How an answer looks.
struct Shape {
    letters: &'static str,
    length: usize,
}

impl Shape {
    const fn of(format: NumberFormat) -> Self {
        let (letters, length) = match format {
            NumberFormat::National => ("0-9", 10),
            NumberFormat::Digits => ("0-9", 11),
            NumberFormat::E164 => ("+0-9", 12),
        };
        Self { letters, length }
    }

    /// The answer, without anything that is in no number.
    fn filtered(&self) -> String {
        format!("${{FILTER({},${{CIDROT_ANSWER}})}}", self.letters)
    }
}

/// Writes the extension and its hang-up handler.
pub(super) fn write(args: &DialplanArgs, hosts: &[String], lines: &mut Lines) {
    let shape = Shape::of(args.caller_id_format);
    let Shape { length, .. } = shape;
    args.begin(lines);
    lines.step("Set(CIDROT_ANSWER=)");
    if !args.plain {
        lines.comment("Agent sessions, monitors and parked calls take no number");
        lines.step(&format!(
            "GotoIf(${{REGEX(\"{NO_CUSTOMER}\" ${{CALLERID(name)}})}}?dial)"
        ));
    }
    args.push_end(lines);
    options(args, lines);
    parameters(args, lines);
    for (place, host) in hosts.iter().enumerate() {
        if place > 0 {
            lines.step(&format!(
                "GotoIf($[${{LEN(${{CIDROT_ANSWER}})}} = {length}]?asked)"
            ));
        }
        lines.step(&format!(
            "Set(CIDROT_ANSWER=${{CURL({host}/next-cid?format=text&${{CIDROT_QUERY}})}})"
        ));
    }
    lines.comment(&format!(
        "It is used only when it is {length} characters of a number, and nothing else"
    ));
    lines.labelled(
        "asked",
        &format!("Set(CIDROT_CALLER_ID={})", shape.filtered()),
    );
    lines.step(&format!(
        "GotoIf($[${{LEN(${{CIDROT_ANSWER}})}} != {length} | ${{LEN(${{CIDROT_CALLER_ID}})}} != {length}]?dial)"
    ));
    lines.step("Set(CALLERID(num)=${CIDROT_CALLER_ID})");
    args.dial("dial", lines);
    end(args, hosts, &shape, lines);
}

fn options(args: &DialplanArgs, lines: &mut Lines) {
    lines.comment("Seconds to connect, seconds for all of it: longer a call does not wait");
    lines.step("Set(CURLOPT(conntimeout)=0.3)");
    lines.step("Set(CURLOPT(httptimeout)=0.5)");
    if args.asterisk.knows_failure_codes() {
        lines.step(&format!("Set(CURLOPT(failurecodes)={FAILURE_CODES})"));
    }
    if let Some(key) = &args.key {
        lines.step(&format!(
            "Set(CURLOPT(httpheader)=X-API-Key: {})",
            key.reveal()
        ));
    }
}

/// Who calls whom, and the call's id, by which its end is reported.
fn parameters(args: &DialplanArgs, lines: &mut Lines) {
    let destination = args.destination();
    if args.plain {
        lines.step("Set(CIDROT_CALL=${UNIQUEID})");
        let campaign = args.campaign.as_ref();
        let campaign =
            campaign.map_or_else(String::new, |campaign| format!("&campaign={campaign}"));
        lines.step(&format!(
            "Set(CIDROT_QUERY=to={destination}{campaign}&call=${{CIDROT_CALL}})"
        ));
        return;
    }
    lines.comment(
        "The name is the id of the call in VICIdial; Extension Append CID may put the agent behind it",
    );
    lines.step("Set(CIDROT_CALL=${UNIQUEID})");
    lines.step("Set(CIDROT_AGENT=)");
    lines.step(&format!(
        "GotoIf(${{REGEX(\"{CUSTOMER}\" ${{CALLERID(name)}})}}?:query)"
    ));
    lines.step("Set(CIDROT_CALL=${CUT(CALLERID(name), ,1)})");
    lines.step("Set(CIDROT_AGENT=${URIENCODE(${CUT(CALLERID(name), ,2)})})");
    lines.labelled("query", &format!(
        "Set(CIDROT_QUERY=to={destination}&campaign=${{URIENCODE(${{CAMPCUST}})}}&agent=${{CIDROT_AGENT}}&call=${{CIDROT_CALL}})"
    ));
}

fn end(args: &DialplanArgs, hosts: &[String], shape: &Shape, lines: &mut Lines) {
    lines.comment("How the call ended; the h extension is left alone");
    lines.extension(
        &args.end_extension(),
        &format!(
            "GotoIf($[${{LEN({})}} != {}]?done)",
            shape.filtered(),
            shape.length
        ),
    );
    sip_answer(lines);
    lines.step(&format!(
        "Set(CIDROT_QUERY=call=${{CIDROT_CALL}}&dialstatus=${{DIALSTATUS}}&answered_seconds=${{ANSWEREDTIME}}&dialed_seconds=${{DIALEDTIME}}&hangup_cause=${{HANGUPCAUSE}}&sip_code={SIP_CODE})"
    ));
    for (place, host) in hosts.iter().enumerate() {
        if place > 0 {
            lines.step("GotoIf($[\"${CIDROT_SENT}\" != \"\"]?done)");
        }
        lines.step(&format!(
            "Set(CIDROT_SENT=${{CURL({host}/call-result?format=text&${{CIDROT_QUERY}})}})"
        ));
    }
    // A fail-over line that asked again has pushed the handler again: it has nothing more to tell.
    lines.labelled("done", "Set(CIDROT_ANSWER=)");
    lines.step("Return()");
}

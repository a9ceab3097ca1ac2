//! Lines of extensions.conf.

use std::fmt::Write as _;

/// The SIP status of the last answer, after [`sip_answer`]: digits, or nothing.
pub(super) const SIP_CODE: &str = "${FILTER(0-9,${CUT(CIDROT_SIP, ,2)})}";

/// Lines that are being written.
#[derive(Debug, Default)]
pub(super) struct Lines(String);

impl Lines {
    /// A line for the reader.
    pub(super) fn comment(&mut self, text: &str) {
        self.line(&format!("; {text}"));
    }

    /// The first step of an extension.
    pub(super) fn extension(&mut self, extension: &str, application: &str) {
        self.line(&format!("exten => {extension},1,{application}"));
    }

    /// The next step.
    pub(super) fn step(&mut self, application: &str) {
        self.line(&format!(" same => n,{application}"));
    }

    /// The next step, to be gone to.
    pub(super) fn labelled(&mut self, label: &str, application: &str) {
        self.line(&format!(" same => n({label}),{application}"));
    }

    /// All of them.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn line(&mut self, text: &str) {
        writeln!(self.0, "{text}").expect("writing into memory does not fail");
    }
}

/// Reads what the carrier said at the end, like `SIP 603 Decline`. A call that was never dialed has no such answer.
pub(super) fn sip_answer(lines: &mut Lines) {
    lines.step("Set(CIDROT_SIP=)");
    lines.step("Set(CIDROT_LEG=${HANGUPCAUSE_KEYS()})");
    lines.step(
        "ExecIf($[\"${CIDROT_LEG}\" != \"\"]?Set(CIDROT_SIP=${HANGUPCAUSE(${CIDROT_LEG},tech)}))",
    );
}

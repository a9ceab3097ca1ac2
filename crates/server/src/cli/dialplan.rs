//! `caller-id dialplan`.

mod agi;
mod curl;
mod host;
mod lines;
mod words;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use caller_id_core::NumberFormat;
use clap::ValueEnum;

use self::host::Hosts;
use self::lines::Lines;
use self::words::{Key, Name, Prefix};
use super::show::out;
use crate::config::agi::{AgiListen, PORT};
use crate::config::listen;
use crate::config::number::port;

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  caller-id dialplan --peer mycarrier                             VICIdial, service on the dialer
  caller-id dialplan --peer mycarrier --host 10.0.0.5,10.0.0.6    two nodes
  caller-id dialplan --peer mycarrier --via curl --key KEY        over HTTP, with a dialer's key
  caller-id dialplan --peer mycarrier --trunk pjsip --plain       an Asterisk without VICIdial";

/// What `dialplan` takes.
#[derive(Debug, clap::Args)]
pub struct DialplanArgs {
    /// The trunk's name in sip.conf or pjsip.conf; with VICIdial, the name in brackets of the carrier's Account Entry
    #[arg(long, value_name = "NAME")]
    pub peer: Name,
    /// The version of Asterisk: see `asterisk -V`
    #[arg(long, value_name = "VERSION", default_value = "18")]
    pub asterisk: Version,
    /// What the trunk is: chan_sip or chan_pjsip
    #[arg(long, value_name = "DRIVER", default_value = "sip")]
    pub trunk: Trunk,
    /// How the service is asked
    #[arg(long, value_name = "WAY", default_value = "agi")]
    pub via: Via,
    /// The dial prefix in front of 1NXXNXXXXXX; empty for none
    #[arg(long, value_name = "DIGITS", default_value = "9")]
    pub prefix: Prefix,
    /// Where the service is, as ADDRESS or ADDRESS:PORT; two with a comma between them: the second is asked when the first has
    /// no answer. With `--via curl` also https://ADDRESS. Default: what AGI_LISTEN says here (127.0.0.1:4573), with `--via curl`
    /// API_HOST and API_PORT (127.0.0.1:8000); of these is also a port that is not named
    #[arg(long, value_name = "ADDRESSES")]
    pub host: Option<Hosts>,
    /// The service's own setting, for the default of `--host`
    #[arg(long, hide = true, default_value = "127.0.0.1:4573")]
    pub agi_listen: AgiListen,
    /// The service's own setting, for the default of `--host`
    #[arg(long, hide = true, default_value = "127.0.0.1", value_parser = listen::host)]
    pub api_host: IpAddr,
    /// The service's own setting, for the default of `--host`
    #[arg(long, hide = true, default_value = "8000", value_parser = port)]
    pub api_port: u16,
    /// The dialer's key, an API key or one of DIALER_KEYS: needed where the dialer is another machine and its address is not in DIALER_ALLOW
    #[arg(long, value_name = "KEY")]
    pub key: Option<Key>,
    /// How the service writes caller IDs: its setting CALLER_ID_FORMAT
    #[arg(long, value_name = "FORMAT", default_value = "national")]
    pub caller_id_format: NumberFormat,
    /// For an Asterisk without VICIdial
    #[arg(long)]
    pub plain: bool,
    /// Leaves out what all carriers of a dialer share, the extension T of FastAGI: for all of them but one
    #[arg(long)]
    pub another: bool,
    /// The campaign that is asked for, without VICIdial (with it, each call's own is)
    #[arg(long, value_name = "NAME", requires = "plain")]
    pub campaign: Option<Name>,
}

/// A version of Asterisk that lines are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[expect(missing_docs, reason = "their names say all")]
pub enum Version {
    #[value(name = "13")]
    V13,
    #[value(name = "16")]
    V16,
    #[value(name = "18")]
    V18,
    #[value(name = "20")]
    V20,
    #[value(name = "22")]
    V22,
}

impl Version {
    const fn number(self) -> u8 {
        match self {
            Self::V13 => 13,
            Self::V16 => 16,
            Self::V18 => 18,
            Self::V20 => 20,
            Self::V22 => 22,
        }
    }

    /// Asterisk 21 came without it.
    const fn has_chan_sip(self) -> bool {
        self.number() < 21
    }

    /// `CURLOPT(failurecodes)`.
    const fn knows_failure_codes(self) -> bool {
        self.number() >= 16
    }
}

/// A channel driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Trunk {
    /// chan_sip.
    Sip,
    /// chan_pjsip.
    Pjsip,
}

impl Trunk {
    /// What `Dial` calls it.
    const fn technology(self) -> &'static str {
        match self {
            Self::Sip => "SIP",
            Self::Pjsip => "PJSIP",
        }
    }
}

/// A way to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Via {
    /// FastAGI.
    Agi,
    /// HTTP, by the function CURL.
    Curl,
}

/// Prints the lines.
///
/// # Errors
/// Arguments that do not go together, and standard output that cannot be written.
pub fn run(args: &DialplanArgs) -> anyhow::Result<ExitCode> {
    let text = text(args)?;
    out::bytes(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The lines that `args` ask for.
///
/// # Errors
/// Names the arguments that do not go together.
pub fn text(args: &DialplanArgs) -> anyhow::Result<String> {
    if args.trunk == Trunk::Sip && !args.asterisk.has_chan_sip() {
        anyhow::bail!(
            "--trunk sip: Asterisk {} has no chan_sip (it went with 21), --trunk pjsip expected",
            args.asterisk.number()
        );
    }
    let own = args.own()?;
    let hosts = match &args.host {
        Some(hosts) => hosts.clone(),
        None => Hosts::of(own),
    };
    let hosts = hosts.urls(args.via, own.port())?;
    let mut lines = Lines::default();
    header(args, &mut lines);
    if args.host.is_none() && own.ip().is_unspecified() {
        lines.comment("For a dialer on the machine of the service: for others name an address that they reach, with --host ADDRESS");
    }
    match args.via {
        Via::Agi => agi::write(args, &hosts, &mut lines),
        Via::Curl => curl::write(args, &hosts, &mut lines),
    }
    Ok(lines.into_text())
}

fn header(args: &DialplanArgs, lines: &mut Lines) {
    let via = match args.via {
        Via::Agi => "FastAGI",
        Via::Curl => "CURL",
    };
    let technology = args.trunk.technology();
    let (version, peer) = (args.asterisk.number(), &args.peer);
    lines.comment(&format!(
        "caller-id: Asterisk {version}, trunk {technology}/{peer}, asked by {via}"
    ));
    lines.comment(match args.plain {
        true => "Goes into the context of extensions.conf that your calls go out through",
        false => {
            "Goes into Admin - Carriers - Dialplan Entry, in place of the lines for this prefix"
        }
    });
    lines.comment("Whatever goes wrong, the call goes out on the caller ID that it came with");
}

/// What both ways share.
impl DialplanArgs {
    /// Where the service of the settings here listens.
    fn own(&self) -> anyhow::Result<SocketAddr> {
        match (self.via, self.agi_listen.0) {
            (Via::Curl, _) => Ok(SocketAddr::new(self.api_host, self.api_port)),
            (Via::Agi, Some(socket)) => Ok(socket),
            // Another service is asked.
            (Via::Agi, None) if self.host.is_some() => {
                Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT))
            }
            (Via::Agi, None) => anyhow::bail!(
                "AGI_LISTEN is off: the service here answers no FastAGI -> set it, like AGI_LISTEN=127.0.0.1:4573, ask over HTTP \
                 with --via curl, or name another service with --host ADDRESS"
            ),
        }
    }

    /// The pattern of what is dialed.
    fn pattern(&self) -> String {
        format!("_{}1NXXNXXXXXX", self.prefix)
    }

    /// What was dialed, without the dial prefix.
    fn destination(&self) -> String {
        match self.prefix.len() {
            0 => "${EXTEN}".to_owned(),
            digits => format!("${{EXTEN:{digits}}}"),
        }
    }

    /// The extension of the hang-up handler. All carriers of VICIdial share a context, so it is another one for each prefix and
    /// trunk. It is no number, so nobody dials it.
    fn end_extension(&self) -> String {
        let plain = |letter: char| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '_'
            }
        };
        let peer: String = self.peer.to_string().chars().map(plain).collect();
        format!("cidrot_end_{}_{peer}", self.prefix)
    }

    /// Begins the extension: with the line that VICIdial needs, or the first of ours.
    fn begin(&self, lines: &mut Lines) {
        let pattern = self.pattern();
        match self.plain {
            true => lines.extension(&pattern, "NoOp(caller-id)"),
            false => lines.extension(&pattern, "AGI(agi://127.0.0.1:4577/call_log)"),
        }
    }

    /// Has the end of the call reported, also when the caller is gone before it was dialed.
    fn push_end(&self, lines: &mut Lines) {
        let end = self.end_extension();
        lines.step(&format!(
            "Set(CHANNEL(hangup_handler_push)=${{CONTEXT}},{end},1)"
        ));
    }

    /// Dials, and ends the extension.
    fn dial(&self, label: &str, lines: &mut Lines) {
        let (technology, peer) = (self.trunk.technology(), &self.peer);
        let destination = self.destination();
        // VICIdial's own example: call_log sets CAMPDTO, the campaign's dial timeout.
        let rest = if self.plain { "60" } else { "${CAMPDTO},To" };
        let dial = format!("Dial({technology}/{destination}@{peer},{rest})");
        match label {
            "" => lines.step(&dial),
            label => lines.labelled(label, &dial),
        }
        lines.step("Hangup()");
    }
}

#[cfg(test)]
mod tests;

//! A dialog of FastAGI, as Asterisk has one for each call.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What was set in a dialog that went to its end.
pub(super) type Variables = HashMap<String, String>;

/// Has a script run with these arguments, for a channel that has no variables; gives those that were set.
///
/// # Errors
/// Nobody is there, or it took too long.
pub(super) fn dialog(
    address: SocketAddr,
    script: &str,
    arguments: &[String],
    patience: Duration,
) -> io::Result<Variables> {
    let stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(patience))?;
    let mut stream = BufReader::new(stream);
    let mut head = format!(
        "agi_network: yes\nagi_network_script: {script}\nagi_request: agi://127.0.0.1/{script}\n\
         agi_channel: SIP/soak-1\nagi_uniqueid: 1795348800.1\nagi_callerid: 8005550199\n\
         agi_calleridname: unknown\nagi_extension: s\nagi_priority: 1\n"
    );
    for (place, argument) in arguments.iter().enumerate() {
        head.push_str(&format!("agi_arg_{}: {argument}\n", place + 1));
    }
    head.push('\n');
    stream.get_mut().write_all(head.as_bytes())?;
    let (mut set, mut line) = (Variables::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(set);
        }
        let reply: &[u8] = match line.trim_end().strip_prefix("SET VARIABLE ") {
            Some(named) => {
                let (name, value) = named.split_once(' ').unwrap_or((named, ""));
                set.insert(name.to_owned(), value.trim_matches('"').to_owned());
                b"200 result=1\n"
            }
            None => b"200 result=0\n",
        };
        stream.get_mut().write_all(reply)?;
    }
}

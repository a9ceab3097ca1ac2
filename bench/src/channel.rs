//! A channel of Asterisk's that asks over FastAGI, and does what it is told.

use std::net::SocketAddr;

use rand::RngExt;
use rand::rngs::SmallRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::load::connect;

/// Makes one call; tells whether it was told that its number is set.
pub(crate) async fn call(address: SocketAddr, random: &mut SmallRng) -> anyhow::Result<bool> {
    let mut stream = connect(address).await?;
    stream.write_all(request(random).as_bytes()).await?;
    let reply = format!("200 result=1 (CAMP{})\n", random.random_range(0..20));
    let (mut heard, mut is_ok) = (Vec::with_capacity(256), false);
    while stream.read_buf(&mut heard).await? > 0 {
        if !heard.ends_with(b"\n") {
            continue;
        }
        is_ok = heard == b"SET VARIABLE CIDROT_STATUS OK\n";
        let reply = match heard.starts_with(b"GET") {
            true => reply.as_bytes(),
            false => b"200 result=1\n",
        };
        heard.clear();
        stream.write_all(reply).await?;
    }
    Ok(is_ok)
}

/// What Asterisk 16 says of a call that VICIdial dials by itself.
fn request(random: &mut SmallRng) -> String {
    let area = random.random_range(2..=9) * 100 + random.random_range(12..=99);
    let (line, lead) = (
        random.random_range(2_000_000..9_999_999),
        random.random_range(1..9_999_999_999_u64),
    );
    let at = random.random_range(100_000_000..999_999_999);
    format!(
        "agi_network: yes\nagi_network_script: next-cid\nagi_request: agi://127.0.0.1/next-cid\n\
         agi_channel: Local/1{area}{line}@default-00000001;2\nagi_language: en\nagi_type: Local\n\
         agi_uniqueid: 1795348800.{lead}\nagi_version: 16.28.0~dfsg-0+deb11u4\nagi_callerid: 8005550199\n\
         agi_calleridname: V{at}{lead:010}\nagi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\n\
         agi_dnid: unknown\nagi_rdnis: unknown\nagi_context: default\nagi_extension: 1{area}{line}\nagi_priority: 3\n\
         agi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 139872345\n\n"
    )
}

//! The binary `caller-id`.

use std::io::{Write, stderr};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(caller_id::cli::main()),
        Err(error) => {
            // Unlike `eprintln!` this does not panic where nothing can be written.
            let _ = writeln!(stderr(), "caller-id: cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

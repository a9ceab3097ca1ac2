//! The binary `caller-id`.

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
            eprintln!("caller-id: cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

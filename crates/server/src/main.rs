//! The binary `caller-id`.

use std::io::{Write, stderr};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One may be busy with an import while another answers a person.
const WORKERS_LEAST: usize = 2;
/// The store runs fewer queries at once; each thread costs memory of its own.
const BLOCKING_THREADS_MOST: usize = 16;

fn main() -> ExitCode {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.max(WORKERS_LEAST))
        .max_blocking_threads(BLOCKING_THREADS_MOST)
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

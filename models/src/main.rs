//! The `seedbed` command.

fn main() -> std::process::ExitCode {
    seedbed_sim::cli::main(&seedbed_models::registry::registry())
}

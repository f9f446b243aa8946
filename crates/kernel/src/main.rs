//! The program that Jupyter starts for a kernel of the course.

use std::process::ExitCode;

fn main() -> ExitCode {
    moments_kernel::cli::main(std::env::args_os().skip(1))
}

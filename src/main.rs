//! The program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    vpnprobe::cli::main()
}

/// The runtime's scheduler takes a power now and then, and nothing else wants the system's libm: with this one, the
/// program does without that library, which would be half a megabyte of its resident memory (docs/decisions/0035).
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "the linker knows functions of C by their plain name")]
extern "C" fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

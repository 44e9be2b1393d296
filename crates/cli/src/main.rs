//! The program `kiln`: arguments in, exit code out. What it does is done by
//! the libraries; this crate reads flags, prints and exits.

mod arguments;
mod around;
mod bench;
mod compare;
mod conv;
mod data;
mod doctor;
mod eval;
mod export;
mod import;
mod list;
mod lr_find;
mod output;
mod playground;
mod predict;
mod report;
mod repro;
mod runs;
mod schedule;
mod summary;
mod sweep;
mod train;
mod view;

use arguments::{Arguments, Verb};
use clap::{CommandFactory, Parser};
use kiln_lab::LabError;
use std::{io::Write, process::ExitCode};

/// Training allocates and frees the same large buffers in every step, which
/// the system's allocator would give back to the kernel each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of a run that was interrupted.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    kiln_kernels::keep_buffers();
    let done = match Arguments::try_parse() {
        Ok(arguments) => act(arguments.verb),
        // Also the help and the version, which are no error.
        Err(shown) => {
            let code = u8::try_from(shown.exit_code()).unwrap_or(2);
            output::check(shown.print().and_then(|()| std::io::stdout().flush()));
            Ok(ExitCode::from(code))
        }
    };
    let done = done.and_then(|code| output::failure().map_or(Ok(code), Err));
    done.unwrap_or_else(|error| {
        output::note(&format!("error: {error}"));
        ExitCode::from(error.exit_code())
    })
}

fn act(verb: Verb) -> Result<ExitCode, LabError> {
    if let Some(threads) = verb.threads() {
        kiln_backend::set_threads(threads)?;
    }
    match verb {
        Verb::Train(arguments) => train::run(*arguments),
        Verb::Repro(arguments) => repro::run(&arguments),
        Verb::Sweep(arguments) => sweep::run(&arguments),
        Verb::Compare(arguments) => compare::run(&arguments),
        Verb::Eval(arguments) => eval::run(&arguments),
        Verb::Predict(arguments) => predict::run(&arguments),
        Verb::Playground(arguments) => playground::run(&arguments),
        Verb::Report(arguments) => report::run(&arguments),
        Verb::View(arguments) => view::run(&arguments),
        Verb::Export(arguments) => export::run(&arguments),
        Verb::Import(arguments) => import::run(&arguments),
        Verb::List(arguments) => list::run(&arguments),
        Verb::Summary(arguments) => summary::run(&arguments),
        Verb::Conv(arguments) => conv::run(&arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
        Verb::Schedule(arguments) => schedule::run(&arguments),
        Verb::LrFind(arguments) => lr_find::run(&arguments),
        Verb::Data(arguments) => data::run(&arguments),
        Verb::Runs(arguments) => runs::run(&arguments),
        Verb::Doctor(arguments) => doctor::run(&arguments),
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "kiln", &mut script);
            output::text(&String::from_utf8_lossy(&script));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The git revision that this program was built from.
fn revision() -> Option<&'static str> {
    option_env!("KILN_REVISION")
}

//! The program `fettle`: the command line, the daemon, and the child process of a pipeline's step.
//! It reads arguments, calls commands of the one list, and prints what they answer.

mod args;
mod backend;
mod capture;
mod daemon;
mod demo;
mod interrupt;
mod nouns;
mod print;

use std::process::ExitCode;

use base::{Code, Error};
use clap::Parser as _;

use crate::args::{Args, Noun, TrackVerb};
use crate::print::Printer;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(e) => {
            // Help and version come this way too, and are no failure.
            let _ = e.print();
            return if e.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let printer = Printer::new(args.json, args.quiet);
    match run(&args, &printer) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            printer.error(&error);
            ExitCode::from(error.code.exit_code())
        }
    }
}

fn run(args: &Args, printer: &Printer) -> base::Result<u8> {
    match &args.noun {
        Noun::Step { folder } => {
            let answer = flow::child::main(folder)?;
            if let Err(error) = &answer.result {
                eprintln!("{error}");
            }
            Ok(if answer.result.is_ok() { 0 } else { Code::StepFailed.exit_code() })
        }
        Noun::Read { folder } => engine::reading::main(folder).map(|()| 0),
        Noun::Daemon { verb } => daemon::run(args, verb, printer),
        Noun::Run { verb: None, capture } => capture::run(args, capture, printer),
        Noun::Track { verb: TrackVerb::Serve { port, token } } => {
            daemon::track(args, *port, token.as_ref(), printer)
        }
        Noun::Demo(options) => demo::run(args, options, printer),
        noun => nouns::run(args, noun, printer),
    }
}

/// A path as the user gave it, made absolute: the daemon has another working folder.
fn absolute(path: &std::path::Path) -> base::Result<String> {
    let full = std::path::absolute(path).map_err(|e| Error::io("find", path, &e))?;
    full.into_os_string().into_string().map_err(|path| {
        Error::invalid(format!("the path `{}` is not Unicode", path.to_string_lossy()))
            .hint("rename the file")
    })
}

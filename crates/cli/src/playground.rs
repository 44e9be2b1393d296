//! `kiln playground`: a page on this machine where one draws and networks answer.

mod http;
mod server;

use crate::{arguments::PlaygroundArguments, output};
use kiln_lab::{LabError, LoadedRun, RunFolder};
use server::Server;
use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    sync::mpsc,
    thread,
};

/// Serves the page until Ctrl-C, which is how it is meant to end.
pub fn run(arguments: &PlaygroundArguments) -> Result<ExitCode, LabError> {
    if let Some(code) = kiln_backend::settle("flex")? {
        return Ok(code);
    }
    let mut names: Vec<_> = arguments.runs.iter().map(String::as_str).collect();
    if names.is_empty() {
        names.push("latest");
    }
    let parent = arguments.output.folder();
    let load = |name: &str| {
        let folder = RunFolder::open(name, &parent)?;
        LoadedRun::load(&folder, arguments.checkpoint.into())
    };
    let runs: Vec<_> = names.into_iter().map(load).collect::<Result<_, _>>()?;
    let listener = listen(SocketAddr::new(arguments.host, arguments.port))?;
    let address = listener.local_addr().map_err(LabError::run)?;

    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = stop.send(());
    })
    .map_err(LabError::run)?;
    let shown: Vec<_> = runs.iter().map(|run| run.card().run.clone()).collect();
    output::line(&format!("http://{address}/"));
    output::note(&format!(
        "playground of {}; Ctrl-C ends it",
        shown.join(" and ")
    ));
    if !address.ip().is_loopback() {
        output::note(
            "everyone who reaches this address can use the networks: it has neither password nor encryption",
        );
    }
    let server = Server::new(runs, address.ip());
    thread::spawn(move || server.serve(&listener));
    // Fails only when the handler is gone, which is an end as well.
    let _ = stopped.recv();
    Ok(ExitCode::SUCCESS)
}

fn listen(address: SocketAddr) -> Result<TcpListener, LabError> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => LabError::usage(format!(
            "port {} is in use on {}; choose another with --port, or any free one with --port 0",
            address.port(),
            address.ip()
        )),
        ErrorKind::PermissionDenied => LabError::usage(format!(
            "port {} may not be used without more rights; choose one from 1024 on with --port",
            address.port()
        )),
        ErrorKind::AddrNotAvailable => LabError::usage(format!(
            "{} is no address of this machine; name one of its own with --host",
            address.ip()
        )),
        _ => LabError::run(format!("{address} cannot be listened at: {error}")),
    })
}

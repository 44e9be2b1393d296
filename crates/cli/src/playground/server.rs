//! What the playground answers: its page, what is known of the runs, and what
//! they say about an image.

use super::http::{Connection, Refusal, Request, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use kiln_lab::{Fault, LabError, LoadedRun, RunCard};
use serde_json::{Value, json};
use std::{
    net::{IpAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

const PAGE: &str = include_str!("page.html");

/// Connections at a time; a browser opens six. Others wait until one ends.
const MOST_CONNECTIONS: usize = 32;

/// A body may have as many bytes, or as many as an image has.
const LONGEST_BODY: usize = 1 << 20;

/// The loaded runs, which any number of connections may ask.
pub struct Server {
    runs: Vec<Mutex<LoadedRun>>,
    cards: Vec<RunCard>,
    /// Address that it listens at.
    address: IpAddr,
}

impl Server {
    pub fn new(runs: Vec<LoadedRun>, address: IpAddr) -> Self {
        Self {
            cards: runs.iter().map(|run| run.card().clone()).collect(),
            runs: runs.into_iter().map(Mutex::new).collect(),
            address,
        }
    }

    /// Answers until the process ends, each connection in a thread of its own.
    pub fn serve(self, listener: &TcpListener) {
        let server = Arc::new(self);
        for stream in listener.incoming() {
            let Ok(stream) = stream else {
                // No descriptor is free: a moment later there may be one.
                thread::sleep(Duration::from_millis(50));
                continue;
            };
            // Each thread holds the server; so does this one.
            while Arc::strong_count(&server) > MOST_CONNECTIONS {
                thread::sleep(Duration::from_millis(10));
            }
            let its = Arc::clone(&server);
            // Without a thread the connection is closed.
            let _ = thread::Builder::new().spawn(move || its.talk(stream));
        }
    }

    fn talk(&self, stream: TcpStream) {
        let inputs = self.cards.iter().map(|card| card.input.len());
        let longest = inputs.max().unwrap_or(0).max(LONGEST_BODY);
        let Ok(mut connection) = Connection::new(stream, longest) else {
            return;
        };
        loop {
            let (response, again) = match connection.request() {
                Ok(None) => return,
                Ok(Some(request)) => (self.answer(&request), request.keep_alive),
                Err(refusal) => (refusal.into(), false),
            };
            if connection.answer(&response, again).is_err() {
                return;
            }
            if !again {
                return connection.close();
            }
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let path = request.path.as_str();
        let method = match path {
            "/" | "/models" => "GET",
            "/classify" => "POST",
            _ => return Refusal::new(404, "there is nothing here; the page is at /").into(),
        };
        if request.method != method {
            return Response {
                allow: Some(method),
                ..Refusal::new(405, format!("{path} takes {method} alone")).into()
            };
        }
        let answer = self.admit(request).and_then(|()| match path {
            "/" => Ok(Response::new(200, "text/html; charset=utf-8", PAGE)),
            "/models" => Ok(object(&json!(self.cards))),
            _ => self.classify(request),
        });
        answer.unwrap_or_else(Response::from)
    }

    /// Refuses what another web site makes a browser ask: under a name of its
    /// own that it points at this machine, or from one of its pages.
    fn admit(&self, request: &Request) -> Result<(), Refusal> {
        let host = request.host.as_deref().unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let local = name.eq_ignore_ascii_case("localhost")
            || (name.parse::<IpAddr>()).is_ok_and(|address| address.is_loopback());
        if self.address.is_loopback() && request.host.is_some() && !local {
            return Err(Refusal::new(
                403,
                "this playground answers to localhost, 127.0.0.1 and [::1] alone",
            ));
        }
        let Some(origin) = &request.origin else {
            return Ok(());
        };
        match origin.split_once("://") {
            Some((_, site)) if site.eq_ignore_ascii_case(host) => Ok(()),
            _ => Err(Refusal::new(
                403,
                "another site's page may not ask this playground",
            )),
        }
    }

    /// Classifies the image in the body: `run=N`, and `layers=N,N` where not
    /// all are wanted.
    fn classify(&self, request: &Request) -> Result<Response, Refusal> {
        let number = |text: &str| {
            text.parse::<usize>()
                .map_err(|_| Refusal::new(400, format!("'{text}' is no number")))
        };
        let (mut run, mut layers) = (None, None);
        for pair in request.query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("run", text)) => run = Some(number(text)?),
                Some(("layers", "")) => layers = Some(Vec::new()),
                Some(("layers", text)) => {
                    layers = Some(text.split(',').map(number).collect::<Result<Vec<_>, _>>()?);
                }
                _ => {
                    let message = format!("'{pair}' is neither run=N nor layers=N,N");
                    return Err(Refusal::new(400, message));
                }
            }
        }
        let Some(run) = run else {
            return Err(Refusal::new(400, "the address does not say which run=N"));
        };
        let (Some(loaded), Some(card)) = (self.runs.get(run), self.cards.get(run)) else {
            let last = self.runs.len() - 1;
            let message = format!("there is no run {run}; the last is {last}");
            return Err(Refusal::new(400, message));
        };
        if layers
            .as_ref()
            .is_some_and(|layers| layers.len() > card.layers.len())
        {
            return Err(Refusal::new(
                400,
                "more layers are asked for than there are",
            ));
        }
        let loaded = loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = loaded.respond(&request.body, layers.as_deref());
        drop(loaded);
        Ok(object(&shown(&answer.map_err(refused)?, card)))
    }
}

fn refused(error: LabError) -> Refusal {
    let status = match error.fault {
        Fault::Usage => 400,
        Fault::Run | Fault::Data => 500,
    };
    Refusal::new(status, error.to_string())
}

fn shown(answer: &kiln_lab::Response, card: &RunCard) -> Value {
    let layers = answer.layers.iter().map(|maps| {
        let layer = card.layers.get(maps.layer);
        json!({
            "layer": maps.layer,
            "name": layer.map(|layer| &layer.name),
            "kind": layer.map(|layer| layer.kind),
            "shape": layer.map(|layer| &layer.shape),
            "total": maps.total,
            "count": maps.count,
            "rows": maps.rows,
            "columns": maps.columns,
            "min": maps.min,
            "max": maps.max,
            "maps": STANDARD.encode(&maps.bytes),
        })
    });
    let layers: Vec<_> = layers.collect();
    json!({ "probabilities": answer.probabilities, "layers": layers })
}

fn object(value: &Value) -> Response {
    Response::new(200, "application/json", value.to_string())
}

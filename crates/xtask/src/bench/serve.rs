//! The endpoint of the sample's model, as a deployment sets it up: with its token, and with its requests
//! recorded for the monitor. Server and clients share this machine.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::figures::Figure;
use crate::instruments::http::Connection;
use crate::instruments::load::{Request, load};
use crate::instruments::server::Server;
use crate::instruments::times;
use crate::instruments::world::{World, argument, text};
use crate::process::command;
use crate::{Result, programs};

const CONNECTIONS: [usize; 2] = [2, 16];
const DURATION: Duration = Duration::from_secs(5);
/// Long enough for the server to have every thread and every buffer that it is going to need.
const WARM_UP: Duration = Duration::from_secs(1);
const STARTS: usize = 5;

pub fn measure() -> Result<Vec<Figure>> {
    programs::build_release_backend()?;
    let world = World::new("serve")?;
    let demo = world.call(&["demo"])?;
    // The deployment has the name of its model.
    let name = text(&demo["model"]["name"])?;
    let request = request(&status(&world, &name)?)?;
    load(&request, CONNECTIONS[0], WARM_UP)?;
    let mut figures = Vec::new();
    for connections in CONNECTIONS {
        let what = format!("{connections} connections");
        figures.extend(load(&request, connections, DURATION)?.figures(&what));
    }
    if let Some(bytes) = status(&world, &name)?["process"]["memoryBytes"].as_f64() {
        figures.push(Figure::new("resident memory after that", bytes / 1e6, "MB"));
    }
    let package = world.path("package");
    world.call(&["model", "export", &name, "--to", argument(&package)?])?;
    let starts = (0..STARTS).map(|_| first_answer_ms(&package)).collect::<Result<Vec<_>>>()?;
    figures.push(Figure::new("start to first ready answer, median", times::median(&starts), "ms"));
    Ok(figures)
}

fn status(world: &World, name: &str) -> Result<Value> {
    world.call(&["deployment", "status", name])
}

/// What the deployment's page tells people to send.
fn request(status: &Value) -> Result<Request> {
    Ok(Request {
        url: text(&status["summary"]["url"])?,
        token: text(&status["token"])?,
        path: "/invocations",
        body: json!({ "dataframe_records": [status["sample"]] }).to_string(),
    })
}

fn first_answer_ms(package: &Path) -> Result<f64> {
    let mut serve = command(programs::release_fettle_serve(), &["--port", "0", "--model"]);
    serve.arg(package);
    let start = Instant::now();
    let server = Server::start(serve)?;
    Connection::open(&text(&server.ready["listening"])?, "")?.get("/v2/health/ready")?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_the_sample_row_with_the_token() {
        let status = json!({
            "summary": { "url": "http://127.0.0.1:9" }, "token": "secret", "sample": { "island": "Dream" },
        });
        let request = request(&status).expect("complete");
        assert_eq!((request.url.as_str(), request.token.as_str()), ("http://127.0.0.1:9", "secret"));
        assert_eq!(request.body, "{\"dataframe_records\":[{\"island\":\"Dream\"}]}");
        assert!(super::request(&json!({})).is_err());
    }
}

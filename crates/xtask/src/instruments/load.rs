//! Asks a server the same thing over and over, on several connections at once.

use std::time::{Duration, Instant};

use super::http::Connection;
use super::times::percentile;
use crate::Result;
use crate::figures::Figure;

/// What to ask, and whom.
pub struct Request {
    pub url: String,
    pub token: String,
    pub path: &'static str,
    pub body: String,
}

/// How a server held out.
pub struct Load {
    /// How long each answer took, ms.
    times_ms: Vec<f64>,
    took_s: f64,
}

/// Keeps so many connections busy for so long. Each sends its next request when it has its answer, and
/// one that is refused ends all of it.
pub fn load(request: &Request, connections: usize, duration: Duration) -> Result<Load> {
    let start = Instant::now();
    let times = std::thread::scope(|scope| {
        let clients: Vec<_> =
            (0..connections).map(|_| scope.spawn(|| ask_until(request, start + duration))).collect();
        let times = clients.into_iter().map(|client| client.join().expect("clients do not panic"));
        times.collect::<Result<Vec<_>>>()
    })?;
    Ok(Load { times_ms: times.concat(), took_s: start.elapsed().as_secs_f64() })
}

impl Load {
    /// Answers in a second.
    pub fn per_second(&self) -> f64 {
        self.times_ms.len() as f64 / self.took_s
    }

    /// How long half of the answers took at most, ms.
    pub fn median_ms(&self) -> f64 {
        percentile(&self.times_ms, 50.0)
    }

    pub fn figures(&self, what: &str) -> Vec<Figure> {
        vec![
            Figure::new(format!("{what}: requests"), self.per_second(), "/s"),
            Figure::new(format!("{what}: answer, median"), self.median_ms(), "ms"),
            Figure::new(format!("{what}: answer, 99 of 100 within"), percentile(&self.times_ms, 99.0), "ms"),
        ]
    }
}

fn ask_until(request: &Request, deadline: Instant) -> Result<Vec<f64>> {
    let mut connection = Connection::open(&request.url, &request.token)?;
    let mut times_ms = Vec::new();
    loop {
        let start = Instant::now();
        if start >= deadline {
            return Ok(times_ms);
        }
        connection.post(request.path, &request.body)?;
        times_ms.push(start.elapsed().as_secs_f64() * 1e3);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Answers each request of a connection with this, and ends with the connection.
    fn answer(stream: TcpStream, text: &str) {
        let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
        let mut stream = stream;
        // The requests here have no body, so that an empty line ends each.
        while lines.by_ref().map_while(std::result::Result::ok).any(|line| line.is_empty()) {
            if stream.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn loaded(text: &'static str) -> Result<Load> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(stream, text));
            }
        });
        let request = Request { url, token: "t".into(), path: "/invocations", body: String::new() };
        load(&request, 2, Duration::from_millis(50))
    }

    #[test]
    fn every_answer_is_counted() {
        let load = loaded("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").expect("answers");
        assert!(load.times_ms.len() >= 2, "{}", load.times_ms.len());
        assert!(load.took_s >= 0.05 && load.figures("2 connections").len() == 3);
    }

    #[test]
    fn a_refusal_is_an_error_with_the_words_of_the_server() {
        let refused = loaded("HTTP/1.1 401 Unauthorized\r\nContent-Length: 7\r\n\r\nwho now").err();
        assert!(refused.is_some_and(|error| error.contains("401: who now")));
    }
}

//! The little HTTP/1.1 that it takes to call our own servers: one connection that stays open, answers
//! with a length. Small, so that what is measured is the server.

use std::io::{BufRead, BufReader, Error, ErrorKind, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::Result;

/// A server that is silent for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
    token: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Connection {
    /// Connects to an address such as `http://127.0.0.1:4321`.
    pub fn open(url: &str, token: &str) -> Result<Self> {
        let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&host).and_then(|stream| {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(BufReader::new(stream))
        });
        let stream = stream.map_err(|error| format!("cannot connect to `{url}`: {error}"))?;
        Ok(Self { stream, host, token: token.to_owned() })
    }

    pub fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        self.ask("GET", path, "")
    }

    /// Sends JSON.
    pub fn post(&mut self, path: &str, body: &str) -> Result<Vec<u8>> {
        self.ask("POST", path, body)
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Vec<u8>> {
        let Self { host, token, .. } = &self;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let sent = self.stream.get_mut().write_all(request.as_bytes());
        let answer = sent.and_then(|()| read_answer(&mut self.stream));
        let answer = answer.map_err(|error| format!("no answer from {}{path}: {error}", self.host))?;
        if answer.status == 200 {
            return Ok(answer.body);
        }
        let text = String::from_utf8_lossy(&answer.body);
        Err(format!("{}{path} answered {}: {text}", self.host, answer.status))
    }
}

fn read_answer(stream: &mut impl BufRead) -> std::io::Result<Answer> {
    let first = read_line(stream)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| Error::new(ErrorKind::InvalidData, format!("it said `{first}`")))?;
    let mut length = None;
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
    let length = length.ok_or_else(|| Error::new(ErrorKind::InvalidData, "the answer has no length"))?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Answer { status, body })
}

fn read_line(stream: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(Error::new(ErrorKind::UnexpectedEof, "the connection was closed"));
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_one_after_the_other() {
        let mut stream: &[u8] =
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(read_answer(&mut stream).expect("whole"), Answer { status: 200, body: b"{}".to_vec() });
        assert_eq!(read_answer(&mut stream).expect("whole"), Answer { status: 404, body: Vec::new() });
        assert_eq!(read_answer(&mut stream).expect_err("nothing left").kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_no_answer_or_has_no_length_is_an_error() {
        for bytes in
            ["hello\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}"]
        {
            assert!(read_answer(&mut bytes.as_bytes()).is_err(), "{bytes}");
        }
    }
}

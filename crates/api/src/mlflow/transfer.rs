//! Files on their way in and out, piece by piece: neither direction holds a file in memory.

use std::io::{self, Read};

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use store::tracking::artifacts::StoredFile;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::refusal::Refusal;
use super::{Tracking, files};

/// The largest file.
const MOST_BYTES: u64 = 256 << 30;
/// Pieces on their way between the network and the disk.
const PIECES: usize = 8;

/// A piece of a file that comes in.
enum Piece {
    Bytes(Bytes),
    /// The sender is gone, or sent what is no body.
    Broken,
    /// All of it was here. Without this one it was not all.
    End,
}

/// A file that comes in, as something to read.
struct Incoming {
    pieces: mpsc::Receiver<Piece>,
    rest: Bytes,
    taken: u64,
    is_over: bool,
}

impl Read for Incoming {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            if self.is_over {
                return Ok(0);
            }
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => {
                    self.taken += bytes.len() as u64;
                    if self.taken > MOST_BYTES {
                        return Err(io::Error::other("the file is too large"));
                    }
                    self.rest = bytes;
                }
                Some(Piece::End) => self.is_over = true,
                Some(Piece::Broken) | None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let count = out.len().min(self.rest.len());
        out[..count].copy_from_slice(&self.rest.split_to(count));
        Ok(count)
    }
}

/// Keeps what a body brings at a path: all of it, or nothing.
pub(super) async fn receive(tracking: Tracking, path: String, body: Body) -> Result<(), Refusal> {
    files::expect_ours(&path)?;
    let (sender, pieces) = mpsc::channel(PIECES);
    let stored = tokio::task::spawn_blocking(move || keep(&tracking, &path, pieces));
    let mut body = body.into_data_stream();
    let mut is_wanted = true;
    while let Some(piece) = body.next().await {
        let piece = piece.map_or(Piece::Broken, Piece::Bytes);
        is_wanted = sender.send(piece).await.is_ok();
        if !is_wanted {
            break;
        }
    }
    if is_wanted {
        // Whoever reads may have stopped meanwhile, and then says why.
        let _ = sender.send(Piece::End).await;
    }
    drop(sender);
    stored.await.unwrap_or_else(|_| Err(base::Error::internal("a file stopped at a fault of its own").into()))
}

fn keep(tracking: &Tracking, path: &str, pieces: mpsc::Receiver<Piece>) -> Result<(), Refusal> {
    let mut incoming = Incoming { pieces, rest: Bytes::new(), taken: 0, is_over: false };
    let stored = tracking.store().objects().put_reader(&mut incoming);
    if incoming.taken > MOST_BYTES {
        let message = format!("A file can have at most {MOST_BYTES} bytes");
        return Err(Refusal { status: 413, code: "INVALID_PARAMETER_VALUE", message });
    }
    files::put(tracking, path, StoredFile { digest: stored?, size_bytes: incoming.taken })
}

/// A file as an answer. A browser saves it and never shows it: scripts put what they like in files.
pub(super) fn send(tracking: &Tracking, path: &str, file: StoredFile) -> Response {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(PIECES);
    let tracking = tracking.clone();
    tokio::task::spawn_blocking(move || {
        let read = || -> base::Result<()> {
            let mut reader = tracking.store().objects().reader(&file.digest)?;
            while let Some(piece) = reader.next_blob()? {
                if sender.blocking_send(Ok(piece.into())).is_err() {
                    // The client went away.
                    return Ok(());
                }
            }
            Ok(())
        };
        if let Err(error) = read() {
            // The answer has begun; that it ends early is all that can be said in it.
            eprintln!("cannot send a file: {error}");
            let _ = sender.blocking_send(Err(io::Error::other(error)));
        }
    });
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut response = Body::from_stream(ReceiverStream::new(receiver)).into_response();
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: String| {
        // The values are made of plain ASCII.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    put(header::CONTENT_LENGTH, file.size_bytes.to_string());
    put(header::CONTENT_TYPE, content_type(name).to_owned());
    put(header::CONTENT_DISPOSITION, disposition(name));
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned());
    put(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned());
    response
}

fn disposition(name: &str) -> String {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if name.bytes().all(is_word) {
        return format!("attachment; filename={name}");
    }
    let encode = |byte: u8| if is_word(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    format!("attachment; filename*=UTF-8''{}", name.bytes().map(encode).collect::<String>())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "txt" | "log" | "py" | "yaml" | "yml" | "md" | "toml" => "text/plain; charset=utf-8",
        "json" => "application/json",
        "csv" => "text/csv; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "svg" => "image/svg+xml",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(pieces: Vec<Piece>) -> Incoming {
        let (sender, receiver) = mpsc::channel(PIECES);
        for piece in pieces {
            assert!(sender.try_send(piece).is_ok());
        }
        Incoming { pieces: receiver, rest: Bytes::new(), taken: 0, is_over: false }
    }

    #[test]
    fn a_file_is_whole_only_when_its_end_was_said() {
        let bytes = |text: &'static str| Piece::Bytes(Bytes::from_static(text.as_bytes()));
        let mut out = String::new();
        reader(vec![bytes("hello "), bytes(""), bytes("there"), Piece::End])
            .read_to_string(&mut out)
            .unwrap();
        assert_eq!(out, "hello there");
        for cut in [vec![bytes("hello")], vec![bytes("hello"), Piece::Broken, Piece::End], vec![]] {
            assert!(reader(cut).read_to_string(&mut String::new()).is_err());
        }
    }

    #[test]
    fn a_name_cannot_end_its_header() {
        assert_eq!(disposition("a-1.txt"), "attachment; filename=a-1.txt");
        assert_eq!(disposition("a\"b;é"), "attachment; filename*=UTF-8''a%22b%3B%C3%A9");
    }
}

//! Reading a request's body within its limits: bytes on the wire, bytes once unpacked, time, and
//! all bodies of the process together.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::Failure;

/// Bodies of all requests together may hold so many KiB.
const TOGETHER_KIB: usize = 256 * 1024;

/// So many chunks may be of any size; above that they must have 16 bytes on average.
const TINY_FRAMES: usize = 4096;

/// The limits of bodies.
#[derive(Debug)]
pub struct Limits {
    bytes: usize,
    timeout: Duration,
    together: Arc<Semaphore>,
}

/// A body that was read, and its share of the memory for all.
#[derive(Debug)]
pub struct ReadBody {
    /// The bytes, unpacked.
    pub bytes: Vec<u8>,
    _share: Vec<OwnedSemaphorePermit>,
}

impl Limits {
    /// Each body may have so many bytes and take so long.
    pub fn new(bytes: usize, timeout: Duration) -> Self {
        Self { bytes, timeout, together: Arc::new(Semaphore::new(TOGETHER_KIB)) }
    }

    /// Reads and unpacks a body.
    ///
    /// # Errors
    /// 413 if it is too large, 408 if it takes too long, 503 if all of them are too large
    /// together, 415 for an encoding that is not known, 400 if it breaks off or does not unpack.
    pub async fn read(&self, headers: &HeaderMap, body: Body) -> Result<ReadBody, Failure> {
        let announced =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > self.bytes as u64) {
            return Err(self.too_large());
        }
        let read = tokio::time::timeout(self.timeout, self.collect(body)).await;
        let mut read =
            read.map_err(|_| Failure::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"))??;
        let encoding = headers.get(header::CONTENT_ENCODING).map(|encoding| encoding.as_bytes());
        if let Some(unpacked) = self.unpack(encoding, &read.bytes)? {
            read.bytes = unpacked;
        }
        Ok(read)
    }

    /// Chunks are copied out one by one: kept as they come, a million chunks of one byte each
    /// would hold a hundred million.
    async fn collect(&self, mut body: Body) -> Result<ReadBody, Failure> {
        let mut read = ReadBody { bytes: Vec::new(), _share: Vec::new() };
        let mut held_kib = 0;
        let mut frames = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::bad("the body broke off"))?;
            // A chunk costs microseconds whatever its size: bytes one by one would buy an attacker
            // seconds of a core for each megabyte.
            frames += 1;
            if frames > TINY_FRAMES + read.bytes.len() / 16 {
                return Err(Failure::bad("the body comes in too many too small chunks"));
            }
            let Some(chunk) = frame.data_ref() else { continue };
            if read.bytes.len() + chunk.len() > self.bytes {
                return Err(self.too_large());
            }
            read.bytes.extend_from_slice(chunk);
            let needed_kib = read.bytes.len().div_ceil(1024).next_multiple_of(64);
            if needed_kib > held_kib {
                let more = u32::try_from(needed_kib - held_kib).unwrap_or(u32::MAX);
                let share = Arc::clone(&self.together).try_acquire_many_owned(more);
                read._share.push(share.map_err(|_| {
                    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "too many large requests at once")
                })?);
                held_kib = needed_kib;
            }
        }
        Ok(read)
    }

    fn unpack(&self, encoding: Option<&[u8]>, bytes: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        match encoding {
            None | Some(b"identity" | b"") => Ok(None),
            Some(b"gzip" | b"x-gzip") => self.inflate(GzDecoder::new(bytes)).map(Some),
            // The standard means zlib; some clients send the bare stream under the same name.
            Some(b"deflate") if bytes.first().is_some_and(|first| first & 0x0f == 8) => {
                self.inflate(ZlibDecoder::new(bytes)).map(Some)
            }
            Some(b"deflate") => self.inflate(DeflateDecoder::new(bytes)).map(Some),
            Some(_) => Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the content encoding is not known; gzip and deflate are",
            )),
        }
    }

    fn inflate(&self, reader: impl std::io::Read) -> Result<Vec<u8>, Failure> {
        let mut unpacked = Vec::new();
        let read = reader.take(self.bytes as u64 + 1).read_to_end(&mut unpacked);
        read.map_err(|_| Failure::bad("the body does not unpack"))?;
        if unpacked.len() > self.bytes { Err(self.too_large()) } else { Ok(unpacked) }
    }

    fn too_large(&self) -> Failure {
        let limit = base::bytes(self.bytes as u64);
        Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {limit}; send fewer rows"),
        )
    }
}

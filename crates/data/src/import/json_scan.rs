//! Walks through a JSON document of any size without holding more of it than one value: finds
//! where values begin and end and leaves what is in them to whoever wants it.

use base::Result;

use super::chunk::MAX_RECORD_BYTES;
use super::decode::TextSource;

/// Consumed bytes are dropped from the front once there are so many.
const DROP_BYTES: usize = 1 << 20;

/// Why a walk stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The document ends before its last value does.
    End,
    /// It is no JSON here: what is missing.
    Broken(&'static str),
    /// The walk went as far as it was allowed to.
    Enough,
}

/// A step of the walk: `Err` for trouble with the file, `Ok(Err)` for the end of the walk.
pub(super) type Walk<T> = Result<std::result::Result<T, Stop>>;

/// Takes the value out of a [`Walk`], or ends the walk.
macro_rules! walk {
    ($step:expr) => {
        match $step? {
            Ok(value) => value,
            Err(stop) => return Ok(Err(stop)),
        }
    };
}
pub(super) use walk;

/// A place in a document.
pub(super) struct Scanner {
    source: TextSource,
    bytes: Vec<u8>,
    at: usize,
    is_at_end: bool,
    /// The line it is on, from 1.
    pub(super) line: u64,
    /// Bytes that were walked over.
    walked: u64,
    most_bytes: u64,
}

impl Scanner {
    /// The beginning of a document, of which the walk sees up to `most_bytes`.
    pub(super) fn new(source: TextSource, most_bytes: u64) -> Self {
        Self { source, bytes: Vec::new(), at: 0, is_at_end: false, line: 1, walked: 0, most_bytes }
    }

    /// Bytes of the file that were read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.source.bytes_read
    }

    /// The next byte that is no space, or the end.
    pub(super) fn next_mark(&mut self) -> Result<Option<u8>> {
        loop {
            let Some(byte) = self.peek()? else { return Ok(None) };
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(Some(byte));
            }
            self.step(byte);
        }
    }

    /// Steps over `byte`, which must come next.
    pub(super) fn expect(&mut self, byte: u8, otherwise: &'static str) -> Walk<()> {
        Ok(match self.next_mark()? {
            Some(found) if found == byte => {
                self.step(byte);
                Ok(())
            }
            Some(_) => Err(Stop::Broken(otherwise)),
            None => Err(Stop::End),
        })
    }

    /// After an item: true if another one follows, false if `end` does.
    pub(super) fn has_more(&mut self, end: u8) -> Walk<bool> {
        Ok(match self.next_mark()? {
            Some(b',') => {
                self.step(b',');
                Ok(true)
            }
            Some(byte) if byte == end => {
                self.step(byte);
                Ok(false)
            }
            Some(_) => Err(Stop::Broken("expected `,` or the end of the list")),
            None => Err(Stop::End),
        })
    }

    /// Steps into an object or array: true if it has a first item.
    pub(super) fn enter(&mut self, begin: u8, end: u8) -> Walk<bool> {
        walk!(self.expect(begin, "expected an array or object"));
        Ok(match self.next_mark()? {
            Some(byte) if byte == end => {
                self.step(byte);
                Ok(false)
            }
            Some(_) => Ok(true),
            None => Err(Stop::End),
        })
    }

    /// The key of a member; the walk is at its value then.
    pub(super) fn key(&mut self) -> Walk<String> {
        if self.next_mark()? != Some(b'"') {
            return Ok(Err(if self.peek()?.is_none() {
                Stop::End
            } else {
                Stop::Broken("expected a name in quotes")
            }));
        }
        let mut raw = Vec::new();
        walk!(self.value(Some(&mut raw)));
        walk!(self.expect(b':', "expected `:`"));
        let key = std::str::from_utf8(&raw).ok().and_then(|raw| super::json::string(raw).ok());
        Ok(key.map(std::borrow::Cow::into_owned).ok_or(Stop::Broken("expected a name in quotes")))
    }

    /// Steps over one value and copies it into `copy`, up to one byte more than a record may
    /// have. Only brackets and quotes are looked at.
    pub(super) fn value(&mut self, mut copy: Option<&mut Vec<u8>>) -> Walk<()> {
        let Some(first) = self.next_mark()? else { return Ok(Err(Stop::End)) };
        let mut depth = 0_u64;
        let mut is_text = false;
        let mut is_escaped = false;
        let is_scalar = !matches!(first, b'{' | b'[' | b'"');
        loop {
            let Some(byte) = self.peek()? else {
                return Ok(if is_scalar { Ok(()) } else { Err(Stop::End) });
            };
            if is_scalar && matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r' | b':') {
                return Ok(Ok(()));
            }
            self.step(byte);
            if self.walked > self.most_bytes {
                return Ok(Err(Stop::Enough));
            }
            if let Some(copy) = copy.as_deref_mut()
                && copy.len() <= MAX_RECORD_BYTES
            {
                copy.push(byte);
            }
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_text => is_escaped = true,
                b'"' => is_text = !is_text,
                b'{' | b'[' if !is_text => depth += 1,
                b'}' | b']' if !is_text => depth = depth.saturating_sub(1),
                _ => (),
            }
            if !is_scalar && depth == 0 && !is_text {
                return Ok(Ok(()));
            }
        }
    }

    fn step(&mut self, byte: u8) {
        self.line += u64::from(byte == b'\n');
        self.at += 1;
        self.walked += 1;
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            if let Some(byte) = self.bytes.get(self.at) {
                return Ok(Some(*byte));
            }
            if self.is_at_end {
                return Ok(None);
            }
            if self.at >= DROP_BYTES {
                self.bytes.drain(..self.at);
                self.at = 0;
            }
            self.is_at_end = !self.source.fill(&mut self.bytes)?;
        }
    }
}

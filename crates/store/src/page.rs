//! One page of a list.

/// Which part of a list is wanted. A page has at most [`Page::MOST`] rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    offset: u32,
    limit: u32,
}

impl Page {
    /// No page is longer; whoever wants all asks page by page.
    pub const MOST: u32 = 1_000;

    /// `limit` rows after the first `offset`.
    pub fn new(offset: u32, limit: u32) -> Self {
        Self { offset, limit: limit.min(Self::MOST) }
    }

    /// The first page, as long as one may be.
    pub fn first() -> Self {
        Self::new(0, Self::MOST)
    }

    /// How many rows come before it.
    pub fn offset(self) -> u32 {
        self.offset
    }

    /// How many rows it has at most.
    pub fn limit(self) -> u32 {
        self.limit
    }
}

//! What stands between a model and its use: tests of its versions, the policy of the project, signed
//! approvals, the card and the passport.

pub(crate) mod approvals;
pub(crate) mod bom;
pub(crate) mod card;
pub(crate) mod explaining;
pub(crate) mod identity;
pub mod passport;
pub(crate) mod policy;
pub(crate) mod seal;
pub(crate) mod tests;

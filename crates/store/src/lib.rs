//! The data folder: where the files of the data sets lie, how it is known that
//! they are the published ones, and how they get there.
//!
//! This crate knows no data set and no file format. A data set describes
//! itself as a [`PinnedSet`]; the [`Store`] then checks ([`Store::verify`]),
//! downloads ([`Store::fetch`]) and imports ([`Store::import`]) its files. No
//! byte is handed out before its SHA-256 has been compared.

mod archive;
mod atomic;
mod check;
mod digest;
mod error;
mod fault;
mod fetch;
mod hold;
mod import;
mod memory;
#[cfg(feature = "download")]
mod mirror;
mod pinned;
mod plan;
mod progress;
mod register;
mod replace;
mod search;
mod store;
#[cfg(feature = "download")]
mod transfer;
mod verify;

pub use atomic::atomic_write;
pub use digest::sha256_hex;
pub use error::StoreError;
pub use fault::Fault;
pub use import::{Check, Import};
pub use pinned::{Layout, Member, PinnedFile, PinnedPlain, PinnedSet, Size};
pub use progress::{Bar, Progress, Silent};
pub use search::{Candidate, candidates};
pub use store::{DATA_DIR_VARIABLE, SetState, Store};
pub use verify::{Verified, VerifiedFile};

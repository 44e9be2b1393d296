//! The one table of data sets: every name a user may type, and what it stands
//! for.
//!
//! This crate draws, reads and checks nothing itself; it sends each name to
//! the crate that does. Whoever needs images asks here.

mod choice;
mod error;
mod fetch;
mod import;
mod load;
mod table;

pub use choice::{Choice, find};
pub use error::CatalogError;
pub use fetch::{fetch, verify};
pub use import::import;
pub use load::{FolderOptions, load};
pub use table::{DATASETS, Kind, Row};

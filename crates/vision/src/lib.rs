//! Images as the data sets deliver them and as the networks want them: the
//! shape of an image, labelled images in memory, splits, normalisation, the
//! order of the batches, and pictures from files.
//!
//! This crate knows neither Burn nor any data set: everything here is bytes,
//! indices and `f32` on the host, so that it can be tested exactly.

mod arrangement;
mod augment;
mod batches;
pub mod draw;
mod images;
mod mixing;
mod noise;
mod normalize;
mod picture;
mod sheet;
mod spec;
mod split;

pub use arrangement::{Arrangement, ArrangementError};
pub use augment::{AugmentError, Augmentation, ImageKey, Look, Operation, Pipeline, Scratch};
pub use batches::{BatchOrder, Batches, Epoch, EpochKey, HostBatch};
pub use images::{Images, ImagesError, Loaded, Part, Source, SourceFile};
pub use mixing::{Mixed, Mixing, MixingError};
pub use normalize::{Normalization, Preprocessing};
pub use picture::{Invert, InvertError, PictureError, picture_spec, read_picture};
pub use sheet::{Sheet, SheetError};
pub use spec::{ImageSpec, SpecError};
pub use split::{SplitError, Subset, bootstrap, limit, train_val_split};

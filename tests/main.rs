//! Tests over the whole workspace, in one binary so that they link once.

#![allow(clippy::unwrap_used, missing_docs)]

/// Groups, sweeps, comparisons.
mod around;
/// Changed images, views and ensembles.
mod augmentation;
/// Pixels at other places, and test images of other kinds.
mod changed;
/// Comparisons that are refused, and what is not done twice.
mod fair;
/// The worked numbers of lectures.
mod lectures;
/// Optimizers and schedules against PyTorch.
mod optimizers;
/// The numbers of PyTorch.
mod parity;
/// Counts against other sources.
mod published;
/// Reproducibility, interruption, divergence: what a run promises.
mod runs;
/// Runs that ended at an awkward moment.
mod taken_up;
/// House rules: layers, heads of files, lengths, versions.
mod tidy;
/// Weights that leave and come back.
mod weights;
/// Every network of the zoo.
mod zoo;

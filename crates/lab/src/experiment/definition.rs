//! What a comparison is asked for.

use crate::{CheckpointName, EvalSplit, LabError, RunFolder};
use kiln_store::Store;

/// Several trainings that differ in one thing.
///
/// Every arm has the shared keys and its own, which must lie on the axis. The
/// data, their division, the order of the batches and the evaluation can not
/// be on the axis, and what [`Equal`] names is the same for all arms, or the
/// comparison does not open.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Name, as in `mnist`: of its folder, and before its figures.
    pub name: String,
    /// Heading in the results.
    pub title: String,
    /// What all arms have, as `train.epochs=3`.
    pub shared: Vec<String>,
    /// Keys that arms may set, or whole sections, as `model` or `optimizer`.
    pub axis: Vec<&'static str>,
    /// The things compared.
    pub arms: Vec<Arm>,
    /// What is equal for all arms.
    pub equal: Equal,
    /// How the numbers of arms are found.
    pub search: Option<Search>,
    /// Trainings of each arm, with the seeds 1, 2, ...
    pub seeds: u64,
    /// Which images are evaluated besides the test images.
    pub splits: Vec<EvalSplit>,
    /// Which weights are evaluated.
    pub checkpoint: CheckpointName,
    /// What else is measured of each training.
    pub measures: Vec<Measure>,
    /// The arms that are held against each other, the first minus the second;
    /// where none are named, each against the first of all.
    pub pairs: Vec<[&'static str; 2]>,
}

impl Comparison {
    /// Arms that differ by `axis`, trained for the same epochs, evaluated at
    /// the best epoch by validation.
    pub fn new(name: &str, title: &str, axis: &[&'static str]) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            shared: Vec::new(),
            axis: axis.to_vec(),
            arms: Vec::new(),
            equal: Equal::Epochs,
            search: None,
            seeds: 1,
            splits: Vec::new(),
            checkpoint: CheckpointName::Best,
            measures: Vec::new(),
            pairs: Vec::new(),
        }
    }

    /// Adds keys that all arms have, as `train.epochs=3`.
    pub fn share<T: Into<String>>(mut self, keys: impl IntoIterator<Item = T>) -> Self {
        self.shared.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Adds an arm with its own keys, separated by spaces.
    pub fn arm(self, name: &str, keys: &str) -> Self {
        self.add(name, keys, None)
    }

    /// Adds an arm one of whose numbers the search is to find.
    pub fn searched_arm(self, name: &str, keys: &str, number: &'static str) -> Self {
        self.add(name, keys, Some(number))
    }

    fn add(mut self, name: &str, keys: &str, searched: Option<&'static str>) -> Self {
        self.arms.push(Arm {
            name: name.to_owned(),
            keys: keys.split_whitespace().map(str::to_owned).collect(),
            searched,
        });
        self
    }
}

/// One of the things compared.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Name in tables and figures.
    pub name: String,
    /// What it changes, as `optimizer.name=adam`.
    pub keys: Vec<String>,
    /// The number that the search finds, as `optimizer.lr`.
    pub searched: Option<&'static str>,
}

/// What is equal for all arms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Equal {
    /// The images seen.
    Epochs,
    /// The epochs, and the learnable parameters within this share of the
    /// smallest.
    Parameters(f64),
    /// The epochs, and the multiply-accumulates for one image within this share
    /// of the smallest.
    MultiplyAccumulates(f64),
    /// The time: each arm trains for as many epochs as fit into so many
    /// seconds on this machine.
    Seconds(f64),
}

/// A search for the best value of one number of an arm, the same for every arm
/// that has one: its own value times each factor, trained with one seed, judged
/// by validation.
#[derive(Clone, Debug)]
pub struct Search {
    /// What the arm's number is multiplied with.
    pub factors: Vec<f64>,
    /// Epochs of each try.
    pub epochs: usize,
}

/// Numbers with their names.
pub type Measured = Vec<(String, f64)>;

/// Something measured of a trained run, besides its accuracy.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Name; another one makes runs that are done be measured again.
    pub name: &'static str,
    /// Measures it.
    pub of: fn(&RunFolder, &Store) -> Result<Measured, LabError>,
}

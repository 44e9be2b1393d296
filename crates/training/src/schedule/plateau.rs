//! What a schedule has seen of the validation loss.

use burn::lr_scheduler::LrSchedulerRecord;

/// Share of the best loss that a better one must be lower by, as PyTorch's.
const THRESHOLD: f64 = 1e-4;

/// The account of `torch.optim.lr_scheduler.ReduceLROnPlateau` with its
/// relative threshold of 1e-4 and no cooldown.
#[derive(Clone, Debug, PartialEq)]
pub struct Plateau {
    /// How often the rate was reduced.
    pub reductions: i32,
    best: f64,
    /// Epochs since the best, or since the last reduction.
    waited: usize,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            reductions: 0,
            best: f64::INFINITY,
            waited: 0,
        }
    }
}

impl Plateau {
    /// Takes note of an epoch's loss. A loss that is no number is no better one.
    pub fn observe(&mut self, loss: f64, patience: usize) {
        if loss < self.best * (1.0 - THRESHOLD) {
            self.best = loss;
            self.waited = 0;
            return;
        }
        self.waited += 1;
        if self.waited > patience {
            self.reductions += 1;
            self.waited = 0;
        }
    }

    /// `record` with this.
    pub fn to_record(&self, record: LrSchedulerRecord) -> LrSchedulerRecord {
        record
            .with_scalar("plateau_reductions", self.reductions as u64)
            .with_scalar("plateau_waited", self.waited as u64)
            .with_scalar("plateau_best", self.best)
    }

    /// What `record` has of it; one of an earlier version has nothing.
    pub fn of_record(record: &LrSchedulerRecord) -> Self {
        let count = |key| record.scalar::<u64>(key).unwrap_or_default();
        Self {
            reductions: i32::try_from(count("plateau_reductions")).unwrap_or(i32::MAX),
            best: record.scalar("plateau_best").unwrap_or(f64::INFINITY),
            waited: count("plateau_waited") as usize,
        }
    }
}

//! Which epoch is the best, and early stopping when none has been better for
//! too long: L. Prechelt 1998.

use crate::EpochRecord;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The validation result that decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// The accuracy; of equals the lower loss.
    #[default]
    ValAccuracy,
    /// The loss.
    ValLoss,
}

impl fmt::Display for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ValAccuracy => "val_accuracy",
            Self::ValLoss => "val_loss",
        })
    }
}

impl Monitor {
    /// Its value in an epoch and a second one for equals, both the larger the
    /// better; none where nothing was validated.
    fn rank(self, record: &EpochRecord) -> Option<(f64, f64)> {
        let (accuracy, loss) = (record.val_accuracy?, record.val_loss?);
        Some(match self {
            Self::ValAccuracy => (accuracy, -loss),
            Self::ValLoss => (-loss, accuracy),
        })
    }

    /// The best of some epochs, of equals the first.
    pub fn best(self, epochs: &[EpochRecord]) -> Option<&EpochRecord> {
        let ranked = epochs.iter().filter(|record| self.rank(record).is_some());
        ranked.reduce(|best, record| match self.rank(record) > self.rank(best) {
            true => record,
            false => best,
        })
    }
}

/// When to give up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStop {
    /// Epochs without an improvement after which the training ends; 0 never
    /// ends it early.
    pub patience: usize,
    /// What counts as an improvement: more than this; at least 0.
    pub min_delta: f64,
    /// What decides, also which weights are kept as the best.
    pub monitor: Monitor,
}

/// What an epoch means for those before it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Whether it is the best so far.
    pub is_best: bool,
    /// Why the training should end, if it should.
    pub stop: Option<String>,
}

impl EarlyStop {
    /// What the last of `epochs` means: a function of the record alone, so
    /// that a resumed training decides as the uninterrupted one.
    pub(crate) fn judge(&self, epochs: &[EpochRecord]) -> Verdict {
        let best = self.monitor.best(epochs);
        let is_best = best.is_some() && best == epochs.last();
        let stop = self
            .stale(epochs)
            .filter(|(_, stale)| *stale >= self.patience);
        let stop = stop.filter(|_| self.patience > 0).map(|(epoch, stale)| {
            format!(
                "{} did not improve for {stale} epochs after epoch {epoch}",
                self.monitor
            )
        });
        Verdict { is_best, stop }
    }

    /// The last epoch that improved, and how many came after it.
    fn stale(&self, epochs: &[EpochRecord]) -> Option<(usize, usize)> {
        let mut reached: Option<(f64, usize)> = None;
        for record in epochs {
            let Some((value, _)) = self.monitor.rank(record) else {
                continue;
            };
            if reached.is_none_or(|(best, _)| value > best + self.min_delta) {
                reached = Some((value, record.epoch));
            }
        }
        let (_, epoch) = reached?;
        Some((epoch, epochs.last()?.epoch - epoch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(results: &[(f64, f64)]) -> Vec<EpochRecord> {
        let record = |(at, &(accuracy, loss)): (usize, &(f64, f64))| EpochRecord {
            epoch: at + 1,
            val_accuracy: Some(accuracy),
            val_loss: Some(loss),
            ..EpochRecord::default()
        };
        results.iter().enumerate().map(record).collect()
    }

    fn stop(patience: usize, min_delta: f64) -> EarlyStop {
        EarlyStop {
            patience,
            min_delta,
            ..EarlyStop::default()
        }
    }

    #[test]
    fn the_best_has_the_highest_accuracy_then_the_lowest_loss_then_came_first() {
        let results = [(0.5, 1.0), (0.7, 0.9), (0.7, 0.8), (0.7, 0.8), (0.6, 0.1)];
        let epochs = epochs(&results);
        let best = |monitor: Monitor| monitor.best(&epochs).map(|record| record.epoch);
        assert_eq!(best(Monitor::ValAccuracy), Some(3));
        assert_eq!(best(Monitor::ValLoss), Some(5));
        let judge = |upto: usize| stop(0, 0.0).judge(&epochs[..upto]).is_best;
        assert_eq!([1, 2, 3, 4, 5].map(judge), [true, true, true, false, false]);
    }

    #[test]
    fn patience_ends_a_training_that_does_not_improve() {
        let epochs = epochs(&[(0.5, 1.0), (0.6, 0.9), (0.6, 0.9), (0.6, 0.8)]);
        assert_eq!(stop(2, 0.0).judge(&epochs[..3]).stop, None);
        let reason = stop(2, 0.0).judge(&epochs).stop.expect("stops");
        assert_eq!(
            reason,
            "val_accuracy did not improve for 2 epochs after epoch 2"
        );
        assert_eq!(stop(0, 0.0).judge(&epochs).stop, None, "0 is off");
    }

    #[test]
    fn less_than_min_delta_is_no_improvement() {
        let epochs = epochs(&[(0.5, 1.0), (0.505, 0.9), (0.509, 0.9), (0.52, 0.8)]);
        assert!(stop(2, 0.01).judge(&epochs[..3]).stop.is_some());
        assert_eq!(stop(3, 0.01).judge(&epochs).stop, None);
    }
}

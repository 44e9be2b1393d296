//! The exact sums of the metrics, and the record of an epoch made of them.

use burn::train::metric::store::Split;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A mean loss this many times larger than the first one, or than 10 nats
/// where that is more, is an explosion.
const EXPLOSION: f64 = 1e3;

/// The sums of an epoch that is not over, for a checkpoint inside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Sum and count of each training metric.
    train: BTreeMap<String, (f64, usize)>,
    /// Likewise on validation images; of no use to whoever resumes.
    #[serde(skip)]
    valid: BTreeMap<String, (f64, usize)>,
    /// Training batches of the epoch.
    batches: usize,
    /// Mean loss of the first batch of the run.
    first_loss: Option<f64>,
}

/// An account that the metric thread writes and the training loop reads.
#[derive(Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Account>>);

impl Shared {
    pub fn new(account: Account) -> Self {
        Self(Arc::new(Mutex::new(account)))
    }

    pub fn lock(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn of(&mut self, split: &Split) -> &mut BTreeMap<String, (f64, usize)> {
        match split {
            Split::Train => &mut self.train,
            _ => &mut self.valid,
        }
    }

    /// Counts a value that stands for `count` images. A share in percent is
    /// made a number of images again, which rounding keeps exact.
    pub fn add(&mut self, name: &str, split: &Split, value: f64, count: usize) {
        if count == 0 {
            return; // a metric that has no value yet
        }
        let sum = match name.contains("Accuracy") {
            true => (value * count as f64).round(),
            false => value * count as f64,
        };
        let entry = self.of(split).entry(name.to_owned()).or_default();
        entry.0 += sum;
        entry.1 += count;
    }

    /// Takes note of a training batch's mean loss; gives its number in the
    /// epoch if it has diverged.
    pub fn watch(&mut self, loss: f64) -> Option<usize> {
        self.batches += 1;
        let first = *self.first_loss.get_or_insert(loss);
        let diverged = !loss.is_finite() || loss > EXPLOSION * first.max(10.0);
        diverged.then_some(self.batches)
    }

    /// The mean of a metric.
    pub fn mean(&mut self, name: &str, split: &Split) -> Option<f64> {
        let &mut (sum, count) = self.of(split).get_mut(name)?;
        (count > 0).then(|| sum / count as f64)
    }

    /// Forgets the epoch.
    pub fn next_epoch(&mut self) {
        *self = Self {
            first_loss: self.first_loss,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_counted_in_images() {
        let mut account = Account::default();
        account.add("Accuracy", &Split::Train, 100.0 / 3.0, 3);
        account.add("Accuracy", &Split::Train, 50.0, 2);
        assert_eq!(account.mean("Accuracy", &Split::Train), Some(200.0 / 5.0));
        assert_eq!(account.mean("Accuracy", &Split::Valid), None);
    }

    #[test]
    fn an_infinite_and_an_exploding_loss_are_seen_with_their_batch() {
        let mut account = Account::default();
        assert_eq!(account.watch(2.3), None);
        assert_eq!(account.watch(9_000.0), None);
        assert_eq!(account.watch(11_000.0), Some(3));
        assert_eq!(account.watch(f64::NAN), Some(4));
    }

    #[test]
    fn an_account_survives_its_file_bit_for_bit() {
        let mut account = Account::default();
        for at in 1..100 {
            account.add("Loss", &Split::Train, 1.0 / f64::from(at), 3);
        }
        account.watch(0.1 + 0.2);
        let text = serde_json::to_string(&account).expect("writes");
        assert_eq!(
            serde_json::from_str::<Account>(&text).expect("reads"),
            account
        );
    }
}

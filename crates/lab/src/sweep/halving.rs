//! How long each candidate trains: equally long, or by successive halving.

use super::definition::Halving;
use std::cmp::Ordering;

/// What a candidate came to in a round: the higher accuracy is the better, of
/// equals the lower loss. A candidate that failed has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean of the best validation accuracies.
    pub accuracy: f64,
    /// Mean of their losses.
    pub loss: f64,
}

/// Epochs of each round: from the least, each `eta` times the one before, the
/// last the most.
pub fn rounds(halving: Halving) -> Vec<usize> {
    let mut rounds = Vec::new();
    let mut epochs = halving.min_epochs;
    while epochs < halving.max_epochs {
        rounds.push(epochs);
        epochs = epochs.saturating_mul(halving.eta);
    }
    rounds.push(halving.max_epochs);
    rounds
}

/// The better first; one that failed is last, of equals the earlier is first.
pub fn by_score(a: Option<Score>, b: Option<Score>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => b
            .accuracy
            .total_cmp(&a.accuracy)
            .then(a.loss.total_cmp(&b.loss)),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

/// The candidates that go on: one in `eta`, rounded down but at least one, of
/// those that did not fail; in the order of the candidates.
pub fn survivors(scored: &[(usize, Option<Score>)], eta: usize) -> Vec<usize> {
    let mut ranked: Vec<_> = scored.iter().filter(|(_, score)| score.is_some()).collect();
    ranked.sort_by(|(_, a), (_, b)| by_score(*a, *b));
    ranked.truncate((scored.len() / eta).max(1));
    let mut survivors: Vec<_> = ranked
        .into_iter()
        .map(|(candidate, _)| *candidate)
        .collect();
    survivors.sort_unstable();
    survivors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(accuracy: f64, loss: f64) -> Option<Score> {
        Some(Score { accuracy, loss })
    }

    #[test]
    fn rounds_grow_by_eta_and_end_with_the_most() {
        let rounds = |eta, min_epochs, max_epochs| {
            super::rounds(Halving {
                eta,
                min_epochs,
                max_epochs,
            })
        };
        assert_eq!(rounds(3, 1, 9), [1, 3, 9]);
        assert_eq!(rounds(2, 1, 6), [1, 2, 4, 6]);
        assert_eq!(rounds(3, 5, 5), [5]);
    }

    #[test]
    fn one_in_eta_survives_by_accuracy_then_loss_then_order() {
        let scored = [
            (0, score(0.5, 1.0)),
            (1, None),
            (2, score(0.9, 0.4)),
            (3, score(0.9, 0.3)),
            (4, score(0.7, 0.1)),
            (5, score(0.7, 0.1)),
        ];
        assert_eq!(survivors(&scored, 6), [3]);
        assert_eq!(survivors(&scored, 3), [2, 3]);
        assert_eq!(survivors(&scored, 2), [2, 3, 4]);
        assert_eq!(survivors(&scored[..2], 3), [0], "never none");
        assert_eq!(survivors(&[(1, None)], 3), [0usize; 0]);
    }
}

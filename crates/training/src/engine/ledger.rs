//! The metric logger: exact sums of every metric per epoch and split, and the
//! watch for a loss that is no number.

use burn::train::{
    logger::MetricLogger,
    metric::{
        MetricDefinition, MetricId, NumericEntry,
        store::{EpochSummary, MetricsUpdate, Split},
    },
};
use std::collections::HashMap;

/// What to do when a loss is not finite, told the step and the epoch.
pub(super) type OnDivergence = Box<dyn Fn(usize, usize) + Send>;

/// Sum and count of a metric, by name, epoch and split.
pub(super) struct Ledger {
    names: HashMap<MetricId, String>,
    sums: HashMap<(String, usize, String), (f64, usize)>,
    /// Training losses seen: the step that the last one belongs to.
    steps: usize,
    on_divergence: OnDivergence,
}

impl Ledger {
    pub fn new(on_divergence: OnDivergence) -> Self {
        Self {
            names: HashMap::new(),
            sums: HashMap::new(),
            steps: 0,
            on_divergence,
        }
    }
}

impl MetricLogger for Ledger {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        for update in update.entries_numeric {
            let (value, count) = match update.numeric_entry {
                Some(NumericEntry::Value(value)) => (value, 1),
                Some(NumericEntry::Aggregated {
                    aggregated_value,
                    count,
                }) => (aggregated_value, count),
                Some(NumericEntry::Final(_)) | None => continue,
            };
            let Some(name) = self.names.get(&update.entry.metric_id) else {
                continue;
            };
            if name == "Loss" {
                self.steps += usize::from(*split == Split::Train);
                if !value.is_finite() {
                    (self.on_divergence)(self.steps, epoch);
                }
            }
            let key = (name.clone(), epoch, split.to_string());
            let sum = self.sums.entry(key).or_default();
            // A share of a count in percent: the rounding makes it a count again.
            sum.0 += match name.as_str() {
                "Accuracy" => (value * count as f64).round(),
                _ => value * count as f64,
            };
            sum.1 += count;
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        let key = (name.to_owned(), epoch, split.to_string());
        let entry = self
            .sums
            .get(&key)
            .map(|&(sum, count)| NumericEntry::Aggregated {
                aggregated_value: sum / count as f64,
                count,
            });
        Ok(entry.into_iter().collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.names
            .insert(definition.metric_id, definition.name.to_string());
    }

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {}
}

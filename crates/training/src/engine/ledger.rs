//! The metric logger: hands every metric to the account, and watches for a
//! loss that diverges.

use super::account::Shared;
use burn::train::{
    logger::MetricLogger,
    metric::{
        MetricDefinition, MetricId, NumericEntry,
        store::{EpochSummary, MetricsUpdate, Split},
    },
};
use std::collections::HashMap;

/// What to do when a loss diverges, told the batch of the epoch and the epoch.
pub(super) type OnDivergence = Box<dyn Fn(usize, usize) + Send>;

/// Names of the metrics that are known, and where they are counted.
pub(super) struct Ledger {
    names: HashMap<MetricId, String>,
    account: Shared,
    on_divergence: OnDivergence,
}

impl Ledger {
    pub fn new(account: Shared, on_divergence: OnDivergence) -> Self {
        Self {
            names: HashMap::new(),
            account,
            on_divergence,
        }
    }
}

impl MetricLogger for Ledger {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        let mut diverged = None;
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
            let mut account = self.account.lock();
            if name == "Loss" && *split == Split::Train {
                diverged = diverged.or(account.watch(value));
            }
            account.add(name, split, value, count);
        }
        if let Some(batch) = diverged {
            (self.on_divergence)(batch, epoch);
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        _epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        let mean = self.account.lock().mean(name, split);
        Ok(mean.map(NumericEntry::Value).into_iter().collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.names
            .insert(definition.metric_id, definition.name.to_string());
    }

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {}
}

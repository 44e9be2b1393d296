//! Numbers of the training itself for the dashboard, which a run's
//! `metrics.csv` has for each epoch.

use super::{
    screen::Screen,
    weights::{share_of_zeros, sparsity, weight_norm},
};
use burn::{
    module::Module,
    tensor::TensorReadError,
    train::metric::{
        Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes,
        NumericEntry, SerializedEntry,
        state::{FormatOptions, NumericMetricState},
    },
};
use std::sync::Arc;

/// What is read beside a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Readings {
    /// Training images a second in the running epoch.
    pub images_per_second: Option<f64>,
    /// Memory in use at most, in megabytes.
    pub memory_mb: Option<f64>,
    /// Euclidean norm of all weights at the end of the epoch before.
    pub weight_norm: Option<f64>,
    /// Percent of them that are exactly zero.
    pub zeros: Option<f64>,
}

impl Readings {
    /// Of weights that are not trained now.
    pub fn of_weights<N: Module>(network: &N) -> Self {
        Self {
            weight_norm: Some(weight_norm(network)),
            zeros: Some(100.0 * share_of_zeros(&sparsity(network))),
            ..Self::default()
        }
    }
}

/// One of them as a metric.
#[derive(Clone)]
pub(super) struct Reading {
    name: MetricName,
    unit: Option<&'static str>,
    digits: usize,
    of: fn(&Readings) -> Option<f64>,
    state: NumericMetricState,
}

impl Reading {
    /// All of them, where there is a dashboard to show them.
    pub fn shown_on(screen: Screen) -> Vec<Self> {
        if screen == Screen::Off {
            return Vec::new();
        }
        vec![
            Self::new("Images per Second", None, 0, |all| all.images_per_second),
            Self::new("Memory", Some("MB"), 0, |all| all.memory_mb),
            Self::new("Weight Norm", None, 4, |all| all.weight_norm),
            Self::new("Zeros", Some("%"), 2, |all| all.zeros),
        ]
    }

    fn new(
        name: &str,
        unit: Option<&'static str>,
        digits: usize,
        of: fn(&Readings) -> Option<f64>,
    ) -> Self {
        Self {
            name: Arc::new(name.to_owned()),
            unit,
            digits,
            of,
            state: NumericMetricState::new(),
        }
    }

    fn options(&self) -> FormatOptions {
        let options = FormatOptions::new(self.name()).precision(self.digits);
        match self.unit {
            Some(unit) => options.unit(unit),
            None => options,
        }
    }
}

impl Metric for Reading {
    type Input = Readings;

    fn update(
        &mut self,
        readings: &Readings,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        if let Some(value) = (self.of)(readings) {
            self.state.update(value, 1);
        }
        Ok(self.state.compute_update(self.options()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.options()))
    }

    fn clear(&mut self) {
        self.state.reset();
    }

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: self.unit.map(str::to_owned),
            higher_is_better: true,
        }
        .into()
    }
}

impl Numeric for Reading {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}

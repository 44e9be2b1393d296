//! What a batch gives to the metrics, and the metric of the gradients' norm.

use super::reading::Readings;
use burn::{
    tensor::{ExecutionError, Tensor, TensorReadError},
    train::{
        ClassificationOutput,
        metric::{
            AccuracyInput, Adaptor, ItemLazy, LossInput, Metric, MetricAttributes, MetricMetadata,
            MetricName, Numeric, NumericAttributes, NumericEntry, SerializedEntry,
            TopKAccuracyInput,
            state::{FormatOptions, NumericMetricState},
        },
    },
};
use std::sync::Arc;

/// What a batch gives to the metrics.
pub(crate) struct Output {
    /// Losses, logits and true classes.
    pub classes: ClassificationOutput,
    /// Norm of all gradients of its step, where it is known.
    pub gradient_norm: Option<Tensor<1>>,
    /// What is read beside its step.
    pub readings: Readings,
}

impl From<ClassificationOutput> for Output {
    fn from(classes: ClassificationOutput) -> Self {
        Self {
            classes,
            gradient_norm: None,
            readings: Readings::default(),
        }
    }
}

impl ItemLazy for Output {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(Self {
            classes: self.classes.sync()?,
            gradient_norm: self.gradient_norm.map(Tensor::without_autodiff),
            readings: self.readings,
        })
    }
}

impl Adaptor<AccuracyInput> for Output {
    fn adapt(&self) -> AccuracyInput {
        self.classes.adapt()
    }
}

impl Adaptor<TopKAccuracyInput> for Output {
    fn adapt(&self) -> TopKAccuracyInput {
        self.classes.adapt()
    }
}

impl Adaptor<LossInput> for Output {
    fn adapt(&self) -> LossInput {
        self.classes.adapt()
    }
}

impl Adaptor<Option<Tensor<1>>> for Output {
    fn adapt(&self) -> Option<Tensor<1>> {
        self.gradient_norm.clone()
    }
}

impl Adaptor<Readings> for Output {
    fn adapt(&self) -> Readings {
        self.readings
    }
}

/// The Euclidean norm of all gradients of a step, before clipping.
#[derive(Clone)]
pub(super) struct GradientNorm {
    name: MetricName,
    state: NumericMetricState,
}

impl GradientNorm {
    /// Its name among the metrics.
    pub const NAME: &str = "Gradient Norm";

    pub fn new() -> Self {
        Self {
            name: Arc::new(Self::NAME.to_owned()),
            state: NumericMetricState::new(),
        }
    }

    fn options(&self) -> FormatOptions {
        FormatOptions::new(self.name()).precision(4)
    }
}

impl Metric for GradientNorm {
    type Input = Option<Tensor<1>>;

    fn update(
        &mut self,
        norm: &Self::Input,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        if let Some(norm) = norm {
            self.state.update(norm.clone().try_into_scalar::<f64>()?, 1);
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
            unit: None,
            higher_is_better: false,
        }
        .into()
    }
}

impl Numeric for GradientNorm {
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

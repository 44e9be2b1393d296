//! What can be chosen of a network: its `[model]` section in a configuration.

use crate::{
    initialisation::Scheme,
    layers::{Edges, Nonlinearity, Pooling},
};
use serde::{Deserialize, Serialize};

/// How a residual block's shortcut gets over a change of shape: K. He et al.
/// 2015, section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortcut {
    /// There is none: the paper's plain networks, section 3.3.
    None,
    /// Option A: every second pixel, and channels of zeros; no parameters.
    Pad,
    /// Option B: a 1x1 convolution.
    Projection,
}

/// The scale at first of the batch norm that ends a residual branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastNorm {
    /// One.
    One,
    /// Zero: each block starts as the identity (torchvision's
    /// `zero_init_residual`).
    Zero,
}

macro_rules! options {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        /// The choices of a network; what is `None` cannot be chosen or is
        /// left at the network's own value.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Options {
            $($(#[$doc])*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $name: Option<$type>,)*
        }

        impl Options {
            /// The names of those that are chosen.
            pub fn names(&self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $(if self.$name.is_some() { names.push(stringify!($name)); })*
                names
            }

            /// These choices over `defaults`.
            pub(crate) fn over(&self, defaults: Self) -> Self {
                Self { $($name: self.$name.clone().or(defaults.$name),)* }
            }
        }
    };
}

options! {
    /// Times that the network's own channels and hidden units are taken: the
    /// width multiplier of MobileNet (A. Howard et al. 2017, section 3.3), the
    /// `k` of wide residual networks.
    width: f64,
    /// Units of each hidden layer.
    hidden: Vec<usize>,
    /// The function between the layers.
    activation: Nonlinearity,
    /// How windows become one value.
    pooling: Pooling,
    /// Side of the windows that become one value, 2 or 3; they stand 2 pixels
    /// apart, so that those of 3 overlap (A. Krizhevsky et al. 2012, section
    /// 3.4).
    pool_size: usize,
    /// How images go on beyond their edge.
    padding: Edges,
    /// Share of the values that dropout sets to zero.
    dropout: f64,
    /// How a shortcut gets over a change of shape.
    shortcut: Shortcut,
    /// The scale at first of the batch norm that ends a residual branch.
    last_norm: LastNorm,
    /// What the weights are drawn from.
    init: Scheme,
}

/// Hidden layers wider than this are a mistake.
const WIDEST: usize = 1 << 20;
/// Times its own channels that a network takes at most.
const MOST_TIMES: f64 = 64.0;

impl Options {
    /// One value of each choice, to know their names and types from.
    pub fn every() -> Self {
        Self {
            width: Some(1.0),
            hidden: Some(vec![1]),
            activation: Some(Nonlinearity::Relu),
            pooling: Some(Pooling::Max),
            pool_size: Some(2),
            padding: Some(Edges::Zeros),
            dropout: Some(0.0),
            shortcut: Some(Shortcut::Pad),
            last_norm: Some(LastNorm::One),
            init: Some(Scheme::Default),
        }
    }

    /// `channels` times [`width`](Self::width), to the nearest whole number,
    /// at least 1.
    pub(crate) fn widened(&self, channels: usize) -> usize {
        let widened = channels as f64 * self.width.unwrap_or(1.0);
        (widened.round() as usize).max(1)
    }

    /// What is wrong with a value.
    pub(crate) fn fault(&self) -> Option<String> {
        let times = |width: &f64| !(*width > 0.0 && *width <= MOST_TIMES);
        if let Some(width) = self.width.filter(times) {
            return Some(format!(
                "width is {width}, but it must be above 0 and at most {MOST_TIMES}"
            ));
        }
        if let Some(side) = self.pool_size.filter(|side| !(2..=3).contains(side)) {
            return Some(format!("pool_size is {side}, but it must be 2 or 3"));
        }
        if self.pooling == Some(Pooling::Stride) && self.pool_size == Some(3) {
            let fault = "pool_size is 3, but a stride has no windows; leave it out";
            return Some(fault.to_owned());
        }
        let hidden = self.hidden.iter().flatten();
        let width = hidden.copied().find(|units| !(1..=WIDEST).contains(units));
        let width =
            width.map(|units| format!("hidden holds {units}, but a layer has 1 to {WIDEST} units"));
        let dropout = self.dropout.filter(|share| !(0.0..1.0).contains(share));
        width.or_else(|| {
            dropout.map(|share| format!("dropout is {share}, but it must be from 0 to below 1"))
        })
    }
}

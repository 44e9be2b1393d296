//! Muon (Jordan 2024, <https://kellerjordan.github.io/posts/muon/>) as
//! `torch.optim.Muon`, and AdamW for what it is not for.

use super::{
    OptimizerSettings,
    rules::{Adam, Buffers},
    wrap::{Decay, Rule},
};
use burn::{
    optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource, join_path},
    tensor::{Device, Tensor},
};
use kiln_kernels::in_place;

/// The polynomial of the Newton-Schulz iteration: `a x + b x^3 + c x^5` of every
/// singular value.
const COEFFICIENTS: [f64; 3] = [3.4445, -4.775, 2.0315];
/// Iterations.
const ITERATIONS: usize = 5;
/// The least norm that a gradient is divided by.
const LEAST_NORM: f64 = 1e-7;

/// Muon with Nesterov's momentum for parameters of two dimensions and kernels
/// of four, which become matrices of `[outputs, the rest]`:
///
/// ```text
/// m = momentum m + (1 - momentum) g
/// u = orthogonalised((1 - momentum) g + momentum m)
/// w = (1 - lr weight_decay) w - lr sqrt(max(1, outputs / rest)) u
/// ```
///
/// Everything else (biases, scales of norms, locally connected layers, which
/// have a matrix for every position) goes by AdamW at a rate of its own. As in
/// the documentation of PyTorch the dimensions alone decide, so that the last
/// layer is Muon's too; Jordan leaves it to AdamW.
///
/// PyTorch multiplies in bfloat16, this in float32.
#[derive(Clone)]
pub struct Muon {
    momentum: f64,
    decay: Decay,
    /// What the rest goes by, and its rate over Muon's.
    rest: (Adam, f64),
}

impl Muon {
    /// With these numbers, and no decay.
    pub fn new(settings: &OptimizerSettings) -> Self {
        Self {
            momentum: settings.momentum,
            decay: Decay::default(),
            rest: (
                Adam::new(settings).decoupled(),
                settings.adamw_lr / settings.lr,
            ),
        }
    }
}

impl Rule for Muon {
    fn decaying(self, decay: Decay) -> Self {
        Self {
            decay,
            rest: (self.rest.0.decaying(decay), self.rest.1),
            ..self
        }
    }
}

/// Muon's momentum, or AdamW's moments.
#[derive(Clone)]
pub struct MuonState<const D: usize> {
    first: Buffers<D, 1>,
    /// AdamW's second moment.
    second: Option<Buffers<D, 1>>,
}

impl<const D: usize> RecordState for MuonState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        self.first.state_flatten(&join_path(prefix, "first"), out);
        if let Some(second) = &self.second {
            second.state_flatten(&join_path(prefix, "second"), out);
        }
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let mut part = |name| Buffers::state_unflatten(&join_path(prefix, name), from, device);
        Some(Self {
            first: part("first")?,
            second: part("second"),
        })
    }
}

fn is_matrix(dimensions: usize) -> bool {
    matches!(dimensions, 2 | 4)
}

impl Optimizer for Muon {
    type State<const D: usize> = MuonState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<MuonState<D>>,
    ) -> (Tensor<D>, Option<MuonState<D>>) {
        let zeros = || Buffers::zeros(&weights);
        let (Buffers { time, tensors }, second) = match state {
            Some(state) => (state.first, state.second),
            None => (zeros(), None),
        };
        let [first] = tensors;
        if !is_matrix(D) {
            let [second] = second.unwrap_or_else(zeros).tensors;
            let (adamw, share) = &self.rest;
            let moments = (time, [first, second]);
            let (weights, moments) = adamw.update(lr * share, weights, gradient, moments);
            let [first, second] = moments.map(|moment| Buffers::new(time + 1, [moment]));
            let second = Some(second);
            return (weights, Some(MuonState { first, second }));
        }
        let (kept, fresh) = (self.momentum as f32, (1.0 - self.momentum) as f32);
        let momentum = first.mul_scalar(kept) + gradient.clone().mul_scalar(fresh);
        let along = gradient.mul_scalar(fresh) + momentum.clone().mul_scalar(kept);
        let (along, [outputs, rest]) = orthogonalised(along);
        let shrunk = (1.0 - lr * f64::from(self.decay.of::<D>())) as f32;
        let lr = (lr * (outputs as f64 / rest as f64).max(1.0).sqrt()) as f32;
        let [weights] = in_place(
            [weights],
            along,
            |[w], u| {
                for (w, &u) in w.iter_mut().zip(u) {
                    *w = *w * shrunk - u * lr;
                }
            },
            |[w], u| [w.mul_scalar(shrunk) - u.mul_scalar(lr)],
        );
        let state = MuonState {
            first: Buffers::new(time + 1, [momentum]),
            second: None,
        };
        (weights, Some(state))
    }

    fn to_device<const D: usize>(state: MuonState<D>, device: &Device) -> MuonState<D> {
        MuonState {
            first: state.first.on(device),
            second: state.second.map(|second| second.on(device)),
        }
    }
}

/// Nearly the orthogonal matrix next to `gradient`, in its shape, and
/// `[outputs, the rest]` of that matrix.
fn orthogonalised<const D: usize>(gradient: Tensor<D>) -> (Tensor<D>, [usize; 2]) {
    let shape = gradient.dims();
    let whole: usize = shape.iter().product();
    // A linear layer's weights are [inputs, outputs], a kernel begins with its
    // outputs. Neither the iteration nor its result minds a transposition.
    let outputs = shape[if D == 2 { 1 } else { 0 }];
    let rest = whole / outputs.max(1);
    let rows = shape[0];
    let matrix: Tensor<2> = gradient.reshape([rows, whole / rows.max(1)]);
    let [rows, columns] = matrix.dims();
    let wide = match rows > columns {
        true => matrix.transpose(),
        false => matrix,
    };
    // Row by row: the whole at once would be summed in another order by other
    // numbers of threads.
    let squares = wide.clone().square().sum_dim(1).sum_dim(0);
    let mut x = wide / squares.sqrt().clamp_min(LEAST_NORM);
    let [a, b, c] = COEFFICIENTS;
    for _ in 0..ITERATIONS {
        let gram = x.clone().matmul(x.clone().transpose());
        let mixed = gram.clone().mul_scalar(b) + gram.clone().matmul(gram).mul_scalar(c);
        x = x.clone().mul_scalar(a) + mixed.matmul(x);
    }
    let matrix = match rows > columns {
        true => x.transpose(),
        false => x,
    };
    (matrix.reshape(shape), [outputs, rest])
}

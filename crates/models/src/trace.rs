//! Following a network layer by layer without computing: each layer says what
//! it does to the shape, and hands on a tensor of that shape with any values.
//!
//! The layers of this crate report here; [`follow`] collects the reports. A
//! network whose parameters are not drawn yet is followed without drawing them.

use crate::{
    activations, finite, profile,
    window::{Misfit, Window},
};
use burn::{
    module::ParamId,
    tensor::{Device, Tensor},
};
use kiln_vision::ImageSpec;
use std::cell::RefCell;

/// What one layer does to one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// `conv`, `linear`, `batch norm`, `max pool` ...
    pub kind: &'static str,
    /// Its weight, where it has one: the way to the layer's name.
    pub(crate) weight: Option<ParamId>,
    /// What slides over the image, where something does.
    pub window: Option<Window>,
    /// Whether the window slides over the output: a transposed convolution.
    pub transposed: bool,
    /// Independent groups of channels; 1 where every output sees all.
    pub groups: usize,
    /// Shape of the input without the batch.
    pub input: Vec<usize>,
    /// Shape of the output without the batch.
    pub output: Vec<usize>,
    /// Learnable values.
    pub parameters: usize,
    /// Multiply-accumulates of convolutions and linear layers.
    pub macs: u64,
    /// Pixels that an output value depends on, padding included: `[height, width]`.
    pub receptive_field: [f64; 2],
    /// Pixels from one output value's field to the next one's.
    pub jump: [f64; 2],
    /// Where the first output value's field begins, in pixels from the top and
    /// the left; below 0 in the padding. Not known behind a transposed
    /// convolution.
    pub start: [f64; 2],
}

/// How far a layer's output looks into its input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Positions of the input that one of the output sees.
    pub span: [f64; 2],
    /// Positions of the input from one of the output to the next.
    pub stride: [f64; 2],
}

impl Reach {
    /// Each value sees its own position.
    pub const POINT: Self = Self {
        span: [1.0, 1.0],
        stride: [1.0, 1.0],
    };

    /// One value sees the whole map.
    pub fn whole([height, width]: [usize; 2]) -> Self {
        Self {
            span: [height as f64, width as f64],
            stride: [1.0, 1.0],
        }
    }
}

impl From<Window> for Reach {
    fn from(window: Window) -> Self {
        Self {
            span: [window.span(0) as f64, window.span(1) as f64],
            stride: window.stride.map(|stride| stride as f64),
        }
    }
}

/// What a layer reports of itself.
pub(crate) struct Report<const O: usize> {
    pub kind: &'static str,
    pub weight: Option<ParamId>,
    pub window: Option<Window>,
    pub transposed: bool,
    pub groups: usize,
    pub reach: Reach,
    /// Shape of the output, batch included.
    pub output: [usize; O],
    pub parameters: usize,
    pub macs: u64,
}

impl<const O: usize> Report<O> {
    /// A layer without parameters that changes no shape.
    pub fn pointwise(kind: &'static str, output: [usize; O]) -> Self {
        Self {
            kind,
            weight: None,
            window: None,
            transposed: false,
            groups: 1,
            reach: Reach::POINT,
            output,
            parameters: 0,
            macs: 0,
        }
    }

    /// A layer without parameters under which `window` slides.
    pub fn windowed(kind: &'static str, window: Window, output: [usize; O]) -> Self {
        Self {
            window: Some(window),
            reach: window.into(),
            ..Self::pointwise(kind, output)
        }
    }
}

#[derive(Clone, Copy)]
struct Field {
    size: [f64; 2],
    jump: [f64; 2],
    start: [f64; 2],
}

struct Trace {
    steps: Vec<Step>,
    field: Field,
    misfit: Option<Misfit>,
}

thread_local! {
    static TRACE: RefCell<Option<Trace>> = const { RefCell::new(None) };
}

/// Computes a layer or, while a network is followed, only reports it; with a
/// clock while it is profiled.
pub(crate) fn layer<const I: usize, const O: usize>(
    x: Tensor<I>,
    report: impl FnOnce([usize; I]) -> Report<O>,
    compute: impl FnOnce(Tensor<I>) -> Tensor<O>,
) -> Tensor<O> {
    if is_followed() {
        let report = report(x.dims());
        TRACE.with_borrow_mut(|trace| {
            if let Some(trace) = trace {
                trace.add(&x.dims(), &report);
            }
        });
        return shape_only(report.output, &x.device());
    }
    if finite::is_on() {
        let Report { kind, weight, .. } = report(x.dims());
        let y = compute(x);
        finite::look(kind, weight, &y);
        return y;
    }
    if activations::is_on() {
        let Report { kind, weight, .. } = report(x.dims());
        let y = activations::unseen(|| compute(x));
        return activations::see(kind, weight, y);
    }
    match profile::is_on() {
        true => {
            let kind = report(x.dims()).kind;
            profile::timed(x, kind, compute)
        }
        false => compute(x),
    }
}

/// Whether layers only report.
pub(crate) fn is_followed() -> bool {
    TRACE.with_borrow(Option::is_some)
}

/// Whether somebody looks at each layer, so that none may be merged with the
/// next.
pub(crate) fn is_by_layer() -> bool {
    is_followed() || profile::is_on() || finite::is_on() || activations::is_on()
}

/// A tensor of a shape that takes no memory for its values.
fn shape_only<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::<D>::zeros([1; D], device).expand(shape)
}

/// Runs a branch beside the main path, before it: the branch ends where the
/// main path starts again, with the receptive field from before.
pub(crate) fn branch<T>(run: impl FnOnce() -> T) -> T {
    let field = TRACE.with_borrow(|trace| trace.as_ref().map(|trace| trace.field));
    let value = run();
    TRACE.with_borrow_mut(|trace| {
        if let (Some(trace), Some(field)) = (trace, field) {
            trace.field = field;
        }
    });
    value
}

impl Trace {
    fn add<const O: usize>(&mut self, input: &[usize], report: &Report<O>) {
        let window = report.window.filter(|_| !report.transposed);
        if let (Some(window), [_, _, height, width]) = (window, input) {
            let misfit = window.misfit(report.kind, [*height, *width]);
            self.misfit = self.misfit.take().or(misfit);
        }
        let padding = window.map_or([0, 0], |window| window.padding);
        for (axis, padding) in padding.into_iter().enumerate() {
            self.field.start[axis] -= padding as f64 * self.field.jump[axis];
            self.field.size[axis] += (report.reach.span[axis] - 1.0) * self.field.jump[axis];
            self.field.jump[axis] *= report.reach.stride[axis];
        }
        self.steps.push(Step {
            kind: report.kind,
            weight: report.weight,
            window: report.window,
            transposed: report.transposed,
            groups: report.groups,
            input: input[1..].to_vec(),
            output: report.output[1..].to_vec(),
            parameters: report.parameters,
            macs: report.macs,
            receptive_field: self.field.size,
            jump: self.field.jump,
            start: self.field.start,
        });
    }
}

/// Follows one image through `forward` and gives its layers in order.
///
/// # Errors
/// When a window does not fit; the layers after it are not looked at.
pub(crate) fn follow<const O: usize>(
    input: ImageSpec,
    device: &Device,
    forward: impl FnOnce(Tensor<4>) -> Tensor<O>,
) -> Result<(Vec<Step>, [usize; O]), Misfit> {
    let shape = [1, input.channels, input.height, input.width];
    let image = shape_only(shape, &device.clone().without_autodiff());
    let outer = TRACE.replace(Some(Trace {
        steps: Vec::new(),
        field: Field {
            size: [1.0, 1.0],
            jump: [1.0, 1.0],
            start: [0.0, 0.0],
        },
        misfit: None,
    }));
    let output = forward(image).dims();
    match TRACE.replace(outer) {
        Some(Trace {
            misfit: Some(misfit),
            ..
        }) => Err(misfit),
        Some(trace) => Ok((trace.steps, output)),
        None => Ok((Vec::new(), output)),
    }
}

#[cfg(test)]
mod tests;

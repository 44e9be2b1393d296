//! The sizes of a convolution, and the correlations with stride 1 or more that
//! compute it and its input gradient.

use crate::tile::Run;

/// The sizes of a 2-D convolution; pairs are height, width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Images.
    pub batch: usize,
    /// Channels of the input.
    pub channels_in: usize,
    /// Channels of the output.
    pub channels_out: usize,
    /// Independent groups, each of as many channels of both.
    pub groups: usize,
    /// Size of the input.
    pub input: [usize; 2],
    /// Size of the kernel.
    pub kernel: [usize; 2],
    /// Step of the kernel.
    pub stride: [usize; 2],
    /// Zeros around the input: before and after it.
    pub padding: [(usize, usize); 2],
    /// Step between the values of the kernel.
    pub dilation: [usize; 2],
}

impl Geometry {
    /// Size of the output.
    pub fn output(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let extent = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            (self.padded(axis) - extent) / self.stride[axis] + 1
        })
    }

    fn padded(&self, axis: usize) -> usize {
        self.input[axis] + self.padding[axis].0 + self.padding[axis].1
    }

    /// Values of the kernel without its channels.
    pub fn area(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Channels of a group: of the output and of the input.
    pub fn of_a_group(&self) -> [usize; 2] {
        [self.channels_out, self.channels_in].map(|channels| channels / self.groups)
    }

    /// The forward pass: every output pixel is one patch of the input.
    pub fn forward(&self) -> Correlation {
        Correlation {
            channels: self.channels_in,
            source: self.input,
            before: self.padding.map(|(before, _)| before),
            padded: [self.padded(0), self.padded(1)],
            destination: self.output(),
            outputs: self.channels_out,
            groups: self.groups,
            phases: vec![Phase {
                taps: [taps(self.kernel[0]), taps(self.kernel[1])],
                spacing: self.dilation,
                first: [0, 0],
                step: self.stride,
                place: [0, 0],
                place_step: [1, 1],
                count: self.output(),
            }],
        }
    }

    /// The input gradient: the output gradient correlated with the reversed
    /// kernel. With a stride, the input pixels fall into `stride` x `stride`
    /// phases, each of which sees every stride-th value of the kernel.
    /// None with both stride and dilation.
    pub fn backward(&self) -> Option<Correlation> {
        let axes = [self.axis(0)?, self.axis(1)?];
        let before = [axes[0].before, axes[1].before];
        let output = self.output();
        let padded = [0, 1].map(|a| before[a] + output[a].max(axes[a].reach));
        let mut phases = Vec::new();
        for vertical in &axes[0].phases {
            for horizontal in &axes[1].phases {
                let pair = [vertical, horizontal];
                phases.push(Phase {
                    taps: pair.map(|phase| phase.taps.clone()),
                    spacing: self.dilation,
                    first: pair.map(|phase| phase.first),
                    step: [1, 1],
                    place: pair.map(|phase| phase.place),
                    place_step: self.stride,
                    count: pair.map(|phase| phase.count),
                });
            }
        }
        Some(Correlation {
            channels: self.channels_out,
            source: output,
            before,
            padded,
            destination: self.input,
            outputs: self.channels_in,
            groups: self.groups,
            phases,
        })
    }

    fn axis(&self, axis: usize) -> Option<Axis> {
        let (stride, dilation) = (self.stride[axis], self.dilation[axis]);
        let (kernel, padding) = (self.kernel[axis], self.padding[axis].0);
        if stride > 1 && dilation > 1 {
            return None;
        }
        // Pixel place + stride * t takes tap first + stride * m from output
        // pixel t + shift - m * dilation; the taps are walked backwards.
        let raw: Vec<_> = (0..stride.min(self.input[axis]))
            .map(|place| {
                let least = (place + padding) % stride;
                let taps: Vec<_> = (least..kernel).step_by(stride).rev().collect();
                let shift = (place + padding - least) / stride;
                let span = dilation * taps.len().saturating_sub(1);
                let count = (self.input[axis] - place).div_ceil(stride);
                (place, taps, shift as isize - span as isize, span, count)
            })
            .collect();
        let before = raw.iter().map(|phase| -phase.2).max()?.max(0) as usize;
        let phases: Vec<_> = raw
            .into_iter()
            .map(|(place, taps, first, span, count)| AxisPhase {
                place,
                taps,
                first: (first + before as isize) as usize,
                span,
                count,
            })
            .collect();
        let reach = phases
            .iter()
            .map(|phase| (phase.first + phase.count + phase.span).saturating_sub(before))
            .max()?;
        Some(Axis {
            before,
            reach,
            phases,
        })
    }
}

fn taps(kernel: usize) -> Vec<usize> {
    (0..kernel).collect()
}

struct Axis {
    before: usize,
    reach: usize,
    phases: Vec<AxisPhase>,
}

struct AxisPhase {
    place: usize,
    taps: Vec<usize>,
    first: usize,
    span: usize,
    count: usize,
}

/// Sums over patches of a padded source, one for each pixel of a destination.
#[derive(Clone, Debug)]
pub struct Correlation {
    /// Channels of the source.
    pub channels: usize,
    /// Size of the source.
    pub source: [usize; 2],
    /// Zeros above and left of the source.
    pub before: [usize; 2],
    /// Size of the source with its zeros.
    pub padded: [usize; 2],
    /// Size of the destination.
    pub destination: [usize; 2],
    /// Channels of the destination.
    pub outputs: usize,
    /// Independent groups of channels, of both alike.
    pub groups: usize,
    /// The destination's pixels, in groups that use the same taps.
    pub phases: Vec<Phase>,
}

/// Pixels `place + place_step * t` of the destination; pixel `t` sees the
/// source from `first + step * t` on.
#[derive(Clone, Debug)]
pub struct Phase {
    /// The kernel's rows and columns, in the order in which the source has them.
    pub taps: [Vec<usize>; 2],
    /// Pixels from one tap to the next.
    pub spacing: [usize; 2],
    /// Where the patch of pixel 0 begins in the padded source.
    pub first: [usize; 2],
    /// How far the patch moves from pixel to pixel.
    pub step: [usize; 2],
    /// Pixel 0 of the destination.
    pub place: [usize; 2],
    /// From one pixel of the destination to the next.
    pub place_step: [usize; 2],
    /// How many pixels there are.
    pub count: [usize; 2],
}

impl Correlation {
    /// Whether every channel is a group of its own.
    pub fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.channels && self.groups == self.outputs
    }
}

impl Phase {
    /// Contiguous stretches of a patch of the first group, in the order of the
    /// packed kernel.
    pub fn runs(&self, correlation: &Correlation) -> Vec<Run> {
        let [rows, columns] = [self.taps[0].len(), self.taps[1].len()];
        let line = correlation.padded[1] * correlation.channels;
        let row = |i: usize| i * self.spacing[0] * line;
        if correlation.groups == 1 && (self.spacing[1] == 1 || columns == 1) {
            let length = columns * correlation.channels;
            return (0..rows).map(|i| (row(i), length)).collect();
        }
        (0..rows * columns)
            .map(|tap| {
                let column = (tap % columns) * self.spacing[1] * correlation.channels;
                let channels = correlation.channels / correlation.groups;
                (row(tap / columns) + column, channels)
            })
            .collect()
    }
}

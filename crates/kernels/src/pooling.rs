//! Pooling of maps that are channels last: the largest of each window, and the
//! mean of each whole map.
#![allow(unsafe_code)]

use crate::{
    flex::{Array, channels_first, channels_last, maps, sizes, tensor, values},
    place::on_flex,
    simd::{Kernel, Vector, widest},
    track::track,
};
use burn::{
    backend::{
        Autodiff, Backend, Dispatch, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{DType, Tensor, module, ops::MaxPoolOptions},
};
use rayon::prelude::*;

/// Pooling on flex.
#[backend_extension(Flex, Autodiff)]
pub trait Pooling: Backend {
    /// The largest of each window.
    fn largest(maps: FloatTensor<Self>, options: MaxPoolOptions<2>) -> FloatTensor<Self>;
    /// The mean of each map.
    fn mean(maps: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The largest value under each position of a window.
///
/// # Shapes
/// `[batch, channels, height, width]` to
/// `[batch, channels, height out, width out]`.
pub fn max_pool2d(maps: Tensor<4>, options: MaxPoolOptions<2>) -> Tensor<4> {
    // No window lies beyond the edge as a whole.
    let sees = |axis: usize| {
        let (before, after) = options.padding[axis];
        before.max(after) < options.kernel_size[axis]
    };
    let plain = options.dilation == [1, 1] && !options.ceil_mode && sees(0) && sees(1);
    let fits = plain && maps.dtype() == DType::F32;
    match fits && on_flex(&maps.device()) {
        true => Tensor::from_dispatch(Dispatch::largest(maps.into_dispatch(), options)),
        false => module::max_pool2d(maps, options),
    }
}

/// The mean of each map: `[batch, channels, height, width]` to
/// `[batch, channels, 1, 1]`.
pub fn global_average(maps: Tensor<4>) -> Tensor<4> {
    match maps.dtype() == DType::F32 && on_flex(&maps.device()) {
        true => Tensor::from_dispatch(Dispatch::mean(maps.into_dispatch())),
        false => module::adaptive_avg_pool2d(maps, [1, 1]),
    }
}

/// A window over one image.
#[derive(Clone, Copy, Debug)]
struct Window {
    channels: usize,
    input: [usize; 2],
    output: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    before: [usize; 2],
}

impl Window {
    fn new([_, channels, height, width]: [usize; 4], options: &MaxPoolOptions<2>) -> Self {
        let input = [height, width];
        let output = [0, 1].map(|axis| {
            let (before, after) = options.padding[axis];
            (input[axis] + before + after - options.kernel_size[axis]) / options.stride[axis] + 1
        });
        Self {
            channels,
            input,
            output,
            kernel: options.kernel_size,
            stride: options.stride,
            before: options.padding.map(|(before, _)| before),
        }
    }

    /// Values of an image of this size.
    fn values(&self, [height, width]: [usize; 2]) -> usize {
        height * width * self.channels
    }

    /// Input positions under output position `at`.
    #[inline(always)]
    fn under(&self, axis: usize, at: usize) -> std::ops::Range<usize> {
        let first = at * self.stride[axis];
        let end = (first + self.kernel[axis]).saturating_sub(self.before[axis]);
        first.saturating_sub(self.before[axis])..end.min(self.input[axis])
    }

    /// Calls `visit` for each output pixel and each vector of its channels: with
    /// where they are, where the first input pixel under it is, and how many
    /// rows and columns of input pixels there are.
    #[inline(always)]
    fn each(&self, lanes: usize, mut visit: impl FnMut(Place)) {
        for row in 0..self.output[0] {
            let rows = self.under(0, row);
            for column in 0..self.output[1] {
                let columns = self.under(1, column);
                let pixel = (row * self.output[1] + column) * self.channels;
                let first = (rows.start * self.input[1] + columns.start) * self.channels;
                for channel in (0..self.channels).step_by(lanes) {
                    visit(Place {
                        pixel: pixel + channel,
                        first: first + channel,
                        size: [rows.len(), columns.len()],
                        count: lanes.min(self.channels - channel),
                    });
                }
            }
        }
    }
}

/// A vector of channels of one output pixel.
#[derive(Clone, Copy)]
struct Place {
    pixel: usize,
    first: usize,
    size: [usize; 2],
    count: usize,
}

impl Place {
    /// Calls `visit` with each input pixel under it.
    #[inline(always)]
    fn under(&self, window: &Window, mut visit: impl FnMut(usize)) {
        for row in 0..self.size[0] {
            for column in 0..self.size[1] {
                visit(self.first + (row * window.input[1] + column) * window.channels);
            }
        }
    }
}

#[inline(always)]
unsafe fn read<V: Vector>(from: &[f32], at: usize, count: usize) -> V {
    debug_assert!(at + count <= from.len());
    // SAFETY: the caller's.
    unsafe {
        match count == V::LANES {
            true => V::load(from.as_ptr().add(at)),
            false => V::load_partial(from.as_ptr().add(at), count),
        }
    }
}

#[inline(always)]
unsafe fn write<V: Vector>(value: V, to: &mut [f32], at: usize, count: usize) {
    debug_assert!(at + count <= to.len());
    // SAFETY: the caller's.
    unsafe {
        match count == V::LANES {
            true => value.store(to.as_mut_ptr().add(at)),
            false => value.store_partial(to.as_mut_ptr().add(at), count),
        }
    }
}

struct Largest<'a> {
    window: Window,
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Largest<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { window, from, to } = self;
        assert!(from.len() >= window.values(window.input));
        assert!(to.len() >= window.values(window.output));
        window.each(
            V::LANES,
            #[inline(always)]
            |place| {
                // SAFETY: a place and all that is under it lie in the images,
                // whose sizes were asserted.
                unsafe {
                    let mut largest = read::<V>(from, place.first, place.count);
                    place.under(&window, |at| {
                        largest = largest.larger(read(from, at, place.count));
                    });
                    write(largest, to, place.pixel, place.count);
                }
            },
        );
    }
}

/// Hands each gradient to the first of the largest values of its window.
struct HandBack<'a> {
    window: Window,
    from: &'a [f32],
    pooled: &'a [f32],
    gradient: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for HandBack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self {
            window,
            from,
            pooled,
            gradient,
            to,
        } = self;
        assert!(from.len() >= window.values(window.input) && to.len() >= from.len());
        assert!(pooled.len() >= window.values(window.output) && gradient.len() >= pooled.len());
        window.each(
            V::LANES,
            #[inline(always)]
            |place| {
                // SAFETY: a place and all that is under it lie in the images,
                // whose sizes were asserted.
                unsafe {
                    let mut rest = read::<V>(gradient, place.pixel, place.count);
                    let largest = read::<V>(pooled, place.pixel, place.count);
                    place.under(&window, |at| {
                        let value = read(from, at, place.count);
                        let here = rest.where_equal(value, largest);
                        rest = rest.sub(here);
                        let sum = read::<V>(to, at, place.count).add(here);
                        write(sum, to, at, place.count);
                    });
                }
            },
        );
    }
}

impl Pooling for Flex {
    fn largest(maps: FloatTensor<Self>, options: MaxPoolOptions<2>) -> FloatTensor<Self> {
        let [batch, channels, height, width] = sizes(&maps);
        let window = Window::new([batch, channels, height, width], &options);
        let pixels = channels_last(maps);
        let [rows, columns] = window.output;
        let mut output = vec![0.0; batch * rows * columns * channels];
        let images = values(&pixels).par_chunks(height * width * channels);
        (output.par_chunks_mut(rows * columns * channels).zip(images))
            .for_each(|(to, from)| widest(Largest { window, from, to }));
        self::maps(output, [batch, channels, rows, columns])
    }

    fn mean(maps: FloatTensor<Self>) -> FloatTensor<Self> {
        let [batch, channels, height, width] = sizes(&maps);
        let pixels = channels_last(maps);
        let mut output = vec![0.0f32; batch * channels];
        let images = values(&pixels).par_chunks(height * width * channels);
        (output.par_chunks_mut(channels).zip(images)).for_each(|(to, from)| {
            for pixel in from.chunks_exact(channels) {
                for (to, from) in to.iter_mut().zip(pixel) {
                    *to += from;
                }
            }
            for to in to {
                *to /= (height * width) as f32;
            }
        });
        tensor(output, [batch, channels, 1, 1])
    }
}

#[derive(Clone, Debug)]
struct State {
    pixels: Array,
    output: Array,
    window: Window,
}

#[derive(Debug)]
struct Pooled;

impl Backward<Flex, 1> for Pooled {
    type State = State;

    fn backward(self, ops: Ops<State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [parent] = ops.parents;
        let gradient = channels_last(grads.consume::<Flex>(&ops.node));
        let Some(parent) = parent else { return };
        let State {
            pixels,
            output,
            window,
        } = ops.state;
        let output = channels_last(output);
        let size = window.input[0] * window.input[1] * window.channels;
        let area = window.output[0] * window.output[1] * window.channels;
        let mut back = vec![0.0; values(&pixels).len()];
        let pooled = values(&output)
            .par_chunks(area)
            .zip(values(&gradient).par_chunks(area));
        let images = back
            .par_chunks_mut(size)
            .zip(values(&pixels).par_chunks(size));
        images
            .zip(pooled)
            .for_each(|((to, from), (pooled, gradient))| {
                widest(HandBack {
                    window,
                    from,
                    pooled,
                    gradient,
                    to,
                });
            });
        let batch = back.len() / size.max(1);
        let [height, width] = window.input;
        let back = tensor(back, [batch, height, width, window.channels]);
        grads.register::<Flex>(parent.id, channels_first(back));
    }
}

#[derive(Debug)]
struct Averaged;

impl Backward<Flex, 1> for Averaged {
    type State = [usize; 4];

    fn backward(self, ops: Ops<[usize; 4], 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [parent] = ops.parents;
        let gradient = channels_last(grads.consume::<Flex>(&ops.node));
        let Some(parent) = parent else { return };
        let [batch, channels, height, width] = ops.state;
        let share = 1.0 / (height * width) as f32;
        let mut back = Vec::with_capacity(batch * channels * height * width);
        for image in values(&gradient).chunks_exact(channels) {
            for _ in 0..height * width {
                back.extend(image.iter().map(|gradient| gradient * share));
            }
        }
        grads.register::<Flex>(parent.id, maps(back, ops.state));
    }
}

impl<C: CheckpointStrategy> Pooling for Autodiff<Flex, C> {
    fn largest(maps: FloatTensor<Self>, options: MaxPoolOptions<2>) -> FloatTensor<Self> {
        let (maps, node) = maps.into_parts();
        let window = Window::new(sizes(&maps), &options);
        let pixels = channels_last(maps);
        let output = Flex::largest(channels_first(pixels.clone()), options);
        let state = State {
            pixels,
            output: output.clone(),
            window,
        };
        track!(Pooled, C, [node], state, output)
    }

    fn mean(maps: FloatTensor<Self>) -> FloatTensor<Self> {
        let (maps, node) = maps.into_parts();
        let shape = sizes(&maps);
        track!(Averaged, C, [node], shape, Flex::mean(maps))
    }
}

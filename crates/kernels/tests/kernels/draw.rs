//! Drawn numbers, tensors of every layout, and what tests compare.

use burn::tensor::{Device, Gradients, Tensor, TensorData};

/// Largest error relative to the largest absolute value.
pub const CLOSE: f64 = 1e-5;

/// Flex with gradients.
pub fn device() -> Device {
    Device::flex().autodiff()
}

/// SplitMix64: G. Steele, D. Lea, C. Flood, 2014.
pub struct Draw(pub u64);

impl Draw {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub fn size(&mut self, least: usize, most: usize) -> usize {
        least + (self.bits() % (most - least + 1) as u64) as usize
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.bits().is_multiple_of(times)
    }

    /// `count` values uniform in ±1.
    pub fn values(&mut self, count: usize) -> Vec<f32> {
        let value = |draw: &mut Self| (draw.bits() >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
        (0..count).map(|_| value(self)).collect()
    }

    /// Maps of these values with a drawn layout: in order, channels last,
    /// columns before rows, or a part of larger maps.
    pub fn maps(&mut self, values: &[f32], shape: [usize; 4]) -> Tensor<4> {
        let x = tensor(values, shape);
        match self.size(0, 5) {
            0 => x,
            1 => in_memory(x, [0, 1, 3, 2]),
            2 => in_memory(x, [1, 0, 2, 3]),
            3 => part(x, self),
            4 => {
                let x = part(x.permute([0, 2, 3, 1]), self);
                x.permute([0, 3, 1, 2])
            }
            _ => channels_last(x),
        }
    }

    /// A matrix of these values, in order, transposed, or a part of a larger one.
    pub fn matrix(&mut self, values: &[f32], shape: [usize; 2]) -> Tensor<2> {
        let x = tensor(values, shape);
        match self.size(0, 2) {
            0 => x,
            1 => tensor(&read(x.transpose()), [shape[1], shape[0]]).transpose(),
            _ => part(x, self),
        }
    }
}

/// A tensor of these values, in order.
pub fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &device())
}

/// The values in order.
pub fn read<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().iter::<f32>().collect()
}

/// The same maps with axes in the order `axes` in memory.
fn in_memory(x: Tensor<4>, axes: [usize; 4]) -> Tensor<4> {
    let back = [0, 1, 2, 3].map(|axis| axes.iter().position(|&a| a == axis).unwrap());
    let x = x.permute(axes.map(|axis| axis as isize));
    let shape = x.dims();
    tensor(&read(x), shape).permute(back.map(|axis| axis as isize))
}

/// The same maps with channels side by side in memory.
pub fn channels_last(x: Tensor<4>) -> Tensor<4> {
    in_memory(x, [0, 2, 3, 1])
}

/// The same tensor as a part of a larger one.
fn part<const D: usize>(x: Tensor<D>, draw: &mut Draw) -> Tensor<D> {
    let shape = x.dims();
    let before = shape.map(|_| draw.size(0, 2));
    let mut larger = shape;
    for (size, before) in larger.iter_mut().zip(before) {
        *size += before + draw.size(0, 1);
    }
    let ranges = std::array::from_fn(|axis| before[axis]..before[axis] + shape[axis]);
    let other = tensor(&draw.values(larger.iter().product()), larger);
    let part: [_; D] = ranges;
    other.slice_assign(part.clone(), x).slice(part)
}

/// The gradient of a tensor, in order; none where it has none.
pub fn gradient<const D: usize>(x: &Tensor<D>, gradients: &Gradients) -> Vec<f32> {
    x.grad(gradients).map_or_else(Vec::new, read)
}

/// The largest error relative to the largest absolute value of `expected`.
pub fn error(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let apart = |(found, expected): (&f32, &f64)| (f64::from(*found) - expected).abs();
    let apart = found.iter().zip(expected).map(apart);
    let worst = apart.fold(
        0.0,
        |most: f64, x| if x > most || x.is_nan() { x } else { most },
    );
    worst / largest.max(1e-6)
}

/// That `found` is `expected` within [`CLOSE`].
#[track_caller]
pub fn assert_close(case: &str, found: &[f32], expected: &[f64]) {
    let error = error(found, expected);
    assert!(error < CLOSE, "{case}: {error:.1e}");
}

/// The values in f64.
pub fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

//! Batch normalisation.

use crate::draw::{CLOSE, Draw, assert_close, error, gradient, read, tensor, wide};
use burn::tensor::Tensor;
use kiln_kernels::{batch_norm, batch_norm_train};

const EPSILON: f64 = 1e-5;

pub struct Case {
    pub shape: [usize; 4],
    pub x: Tensor<4>,
    pub scale: Tensor<1>,
    pub shift: Tensor<1>,
    /// Mean and variance where they are not those of the maps.
    pub known: Option<[Tensor<1>; 2]>,
    pub given: Vec<f32>,
    pub rectify: bool,
}

/// Output and gradients of maps, scale and shift; the statistics last.
pub type Found<T> = [Vec<T>; 6];

impl Case {
    pub fn new(shape: [usize; 4], values: &[f32], draw: &mut Draw) -> Self {
        let channels = shape[1];
        let mut row = || draw.values(channels);
        let [scale, shift, mean, variance] = [row(), row(), row(), row()];
        let variance: Vec<_> = variance.iter().map(|x| x.abs() + 0.1).collect();
        let known = [mean, variance].map(|row| tensor(&row, [channels]));
        Self {
            shape,
            x: draw.maps(values, shape),
            scale: tensor(&scale, [channels]),
            shift: tensor(&shift, [channels]),
            known: draw.once_in(3).then_some(known),
            given: draw.values(values.len()),
            rectify: draw.once_in(2),
        }
    }

    pub fn run(&self) -> Found<f32> {
        let x = self.x.clone().require_grad();
        let (scale, shift) = (
            self.scale.clone().require_grad(),
            self.shift.clone().require_grad(),
        );
        let inputs = (x.clone(), scale.clone(), shift.clone());
        let (output, [mean, variance]) = match self.known.clone() {
            Some(known) => {
                let (x, scale, shift) = inputs;
                let output = batch_norm(x, scale, shift, known.clone(), EPSILON, self.rectify);
                (output, known)
            }
            None => {
                let (x, scale, shift) = inputs;
                let result = batch_norm_train(x, scale, shift, EPSILON, self.rectify);
                (result.output, [result.mean, result.variance])
            }
        };
        let gradients = (output.clone() * tensor(&self.given, self.shape))
            .sum()
            .backward();
        [
            read(output),
            gradient(&x, &gradients),
            gradient(&scale, &gradients),
            gradient(&shift, &gradients),
            read(mean),
            read(variance),
        ]
    }

    /// The same by definition. `output`, as it was found, says what was
    /// rectified: a value next to zero may be on either side of it.
    pub fn expected(&self, output: &[f32]) -> Found<f64> {
        let [_, channels, height, width] = self.shape;
        let area = height * width;
        let x = wide(&read(self.x.clone()));
        let (scale, shift) = (
            wide(&read(self.scale.clone())),
            wide(&read(self.shift.clone())),
        );
        let known = self
            .known
            .clone()
            .map(|known| known.map(|row| wide(&read(row))));
        let mut found = [x.len(), x.len(), channels, channels, channels, channels]
            .map(|count| vec![0.0; count]);
        for channel in 0..channels {
            let places: Vec<_> = (0..x.len())
                .filter(|i| i / area % channels == channel)
                .collect();
            let count = places.len() as f64;
            let mean = places.iter().map(|&i| x[i]).sum::<f64>() / count;
            let squares: f64 = places.iter().map(|&i| (x[i] - mean).powi(2)).sum();
            let (mean, variance) = match &known {
                Some([mean, variance]) => (mean[channel], variance[channel]),
                None => (mean, squares / count),
            };
            let deviation = (variance + EPSILON).sqrt();
            let normal = |i: usize| (x[i] - mean) / deviation;
            let given = |i: usize| match self.rectify && output[i] <= 0.0 {
                true => 0.0,
                false => f64::from(self.given[i]),
            };
            let sum: f64 = places.iter().map(|&i| given(i)).sum();
            let along: f64 = places.iter().map(|&i| given(i) * normal(i)).sum();
            for &i in &places {
                let value = normal(i) * scale[channel] + shift[channel];
                found[0][i] = if self.rectify { value.max(0.0) } else { value };
                let less = match known {
                    Some(_) => 0.0,
                    None => (sum + normal(i) * along) / count,
                };
                found[1][i] = (given(i) - less) * scale[channel] / deviation;
            }
            found[2][channel] = along;
            found[3][channel] = sum;
            found[4][channel] = mean;
            found[5][channel] = variance;
        }
        found
    }

    fn check(&self) {
        let found = self.run();
        let expected = self.expected(&found[0]);
        let names = [
            "output",
            "input gradient",
            "scale gradient",
            "shift gradient",
            "mean",
            "variance",
        ];
        for (name, (found, expected)) in names.iter().zip(found.iter().zip(&expected)) {
            let known = self.known.is_some();
            let case = format!("{name} of {:?}, {known}, {}", self.shape, self.rectify);
            assert_close(&case, found, expected);
        }
    }
}

fn shape(draw: &mut Draw) -> [usize; 4] {
    [
        draw.size(2, 9),
        draw.size(1, 130),
        draw.size(1, 9),
        draw.size(1, 9),
    ]
}

#[test]
fn normalised_maps_of_drawn_sizes_are_what_they_are_by_definition() {
    let mut draw = Draw(30);
    for number in 0..300 {
        let shape = match number {
            0 => [40, 3, 40, 40],
            1 => [3, 130, 30, 30],
            _ => shape(&mut draw),
        };
        let values = draw.values(shape.iter().product());
        Case::new(shape, &values, &mut draw).check();
    }
}

#[test]
fn one_pixel_for_each_channel_gives_the_shift_and_no_gradient() {
    let mut draw = Draw(31);
    for channels in [1, 7, 64, 130] {
        let values = draw.values(channels);
        let mut case = Case::new([1, channels, 1, 1], &values, &mut draw);
        (case.known, case.rectify) = (None, false);
        let [output, back, for_scale, for_shift, mean, variance] = case.run();
        assert_eq!(output, read(case.shift));
        assert_eq!(back, vec![0.0; channels]);
        assert_eq!(for_scale, vec![0.0; channels]);
        assert_eq!(for_shift, case.given);
        assert_eq!(mean, values);
        assert_eq!(variance, vec![0.0; channels]);
    }
}

#[test]
fn constant_channels_have_no_variance() {
    let mut draw = Draw(32);
    let shape = [5, 3, 6, 7];
    let values: Vec<_> = (0..shape.iter().product())
        .map(|i| [0.1, -3.7, 1e4][i / 42 % 3])
        .collect();
    let mut case = Case::new(shape, &values, &mut draw);
    (case.known, case.rectify) = (None, false);
    let found = case.run();
    assert_eq!(found[4], [0.1, -3.7, 1e4]);
    assert!(
        found[5].iter().all(|variance| *variance < 1e-9),
        "{:?}",
        found[5]
    );
}

#[test]
fn a_large_mean_with_a_small_variance_loses_only_what_the_values_lost() {
    let mut draw = Draw(33);
    let shape = [8, 20, 15, 15];
    let values = draw.values(shape.iter().product());
    let values: Vec<_> = values.iter().map(|x| 1e4 + x).collect();
    let mut case = Case::new(shape, &values, &mut draw);
    (case.known, case.rectify) = (None, false);
    let found = case.run();
    let expected = case.expected(&found[0]);
    assert!(error(&found[4], &expected[4]) < CLOSE);
    assert!(error(&found[5], &expected[5]) < CLOSE);
    // The mean is an f32 next to 1e4, exact to 5e-4, the deviation is 0.6.
    assert!(error(&found[0], &expected[0]) < 2e-3);
}

#[test]
fn scales_and_shifts_may_be_parts_of_other_tensors() {
    let mut draw = Draw(34);
    let values = draw.values(2 * 5 * 9);
    for rectify in [false, true] {
        let mut case = Case::new([2, 5, 3, 3], &values, &mut draw);
        case.rectify = rectify;
        let row = tensor(&draw.values(13), [13]);
        case.scale = row.clone().slice(2..7);
        case.shift = row.slice(8..13);
        case.check();
        let one = tensor(&[0.7], [1]);
        case.scale = one.clone().expand([5]);
        case.shift = one.expand([5]);
        case.check();
    }
}

#[test]
fn gradients_are_computed_where_they_are_needed() {
    let mut draw = Draw(35);
    let values = draw.values(2 * 5 * 9);
    let case = Case::new([2, 5, 3, 3], &values, &mut draw);
    let scale = case.scale.clone().require_grad();
    let output = batch_norm_train(
        case.x.clone(),
        scale.clone(),
        case.shift.clone(),
        EPSILON,
        true,
    );
    let gradients = output.output.sum().backward();
    assert!(scale.grad(&gradients).is_some());
    assert!(case.x.grad(&gradients).is_none() && case.shift.grad(&gradients).is_none());
}

//! How far a layer or a network is from f(t(x)) = t(f(x)) for a shift t.

use burn::tensor::{Tensor, TensorData};
use kiln_backend::host;
use kiln_models::layers::{Conv, Linear, Pool, flatten, global_average, relu};
use kiln_models::{Network, activations};
use kiln_vision::{Images, Normalization};

/// What is measured of one layer: its name and its error.
pub type Error = (String, f64);

/// The images as a network takes them.
///
/// # Shapes
/// `[images, channels, height, width]`.
pub fn tensor(images: &Images, normalization: &Normalization) -> Tensor<4> {
    let spec = images.spec();
    let mut values = Vec::with_capacity(images.len() * spec.len());
    for index in 0..images.len() {
        normalization.append(images.pixels(index), &mut values);
    }
    let shape = [images.len(), spec.channels, spec.height, spec.width];
    Tensor::from_data(TensorData::new(values, shape), &host())
}

/// The error of single layers whose weights are as they are drawn: what leaves
/// an image at the right comes in at its left, and pixels at the edge, which a
/// padded kernel sees otherwise, do not count.
pub fn of_layers(images: Tensor<4>, shift: usize) -> Vec<Error> {
    let [_, channels, height, width] = images.dims();
    let device = host();
    let _only_here = kiln_backend::seed(&device, 1);
    let conv = Conv::new(channels, 8, 5).padding(2).init(&device);
    let strided = Conv::new(channels, 8, 5).padding(2).stride(2).init(&device);
    let dense = Linear::new([channels * height * width, 64], &device);
    let kept = images.clone().slice([
        0..images.dims()[0],
        0..channels,
        0..height,
        0..width - shift,
    ]);
    let left = images.clone().slice([
        0..images.dims()[0],
        0..channels,
        0..height,
        width - shift..width,
    ]);
    let moved = Tensor::cat(vec![left, kept], 3);
    let maps = |name: &str, jump, layer: &dyn Fn(Tensor<4>) -> Tensor<4>| {
        let [moved, still] = [&moved, &images].map(|x| layer(x.clone()).into_data());
        (name.to_owned(), error(&moved, &still, shift, jump))
    };
    let vector = |name: &str, layer: &dyn Fn(Tensor<4>) -> Tensor<2>| {
        let [moved, still] = [&moved, &images].map(|x| layer(x.clone()).into_data());
        (name.to_owned(), error(&moved, &still, shift, 1))
    };
    vec![
        maps("convolution 5x5", 1, &|x| conv.forward(x)),
        maps("ReLU", 1, &relu),
        maps("max pooling 2x2", 2, &|x| Pool::max(2).forward(x)),
        maps("average pooling 2x2", 2, &|x| Pool::average(2).forward(x)),
        maps("convolution 5x5, stride 2", 2, &|x| strided.forward(x)),
        vector("global average pooling", &global_average),
        vector("dense layer", &|x| dense.forward(flatten(x))),
    ]
}

/// The error after each convolution, pooling and dense layer of a network, for
/// images shifted to the right with blank pixels coming in; the class scores
/// come last, as `class scores`.
pub fn of_network(
    network: &Network,
    still: Tensor<4>,
    moved: Tensor<4>,
    shift: usize,
) -> Vec<Error> {
    let (_, still) = activations(network, still);
    let (_, moved) = activations(network, moved);
    let (mut jump, mut pools) = (1, 0);
    let mut errors = Vec::new();
    let last = still.len().saturating_sub(1);
    for (at, (still, moved)) in still.iter().zip(&moved).enumerate() {
        let name = match (&still.layer, still.kind.ends_with("pool")) {
            _ if at == last => Some("class scores".to_owned()),
            (Some(layer), _) => Some(layer.clone()),
            (None, true) => {
                (jump, pools) = (jump * 2, pools + 1);
                Some(format!("pool{pools}"))
            }
            (None, false) => None,
        };
        if let Some(name) = name {
            errors.push((name, error(&moved.values, &still.values, shift, jump)));
        }
    }
    errors
}

/// Pixels at the edge of an image that do not count.
const EDGE: usize = 2;

/// `|moved - t(still)| / |still|`. Of maps, whose neighbours are `jump` pixels
/// apart, the shift t is the better of the two whole ones; of vectors it is
/// nothing.
fn error(moved: &TensorData, still: &TensorData, shift: usize, jump: usize) -> f64 {
    let [moved_values, still_values] =
        [moved, still].map(|data| data.iter::<f64>().collect::<Vec<_>>());
    let &[images, channels, height, width] = &still.shape()[..] else {
        let pairs = moved_values
            .iter()
            .zip(&still_values)
            .map(|(a, b)| (*a, *b));
        return relative(pairs);
    };
    let edge = EDGE.div_ceil(jump);
    let most = shift.div_ceil(jump);
    let interior = |by: usize| {
        let mut pairs = Vec::new();
        for plane in 0..images * channels {
            for row in edge..height.saturating_sub(edge) {
                let line = (plane * height + row) * width;
                for column in edge + most..width.saturating_sub(edge) {
                    pairs.push((
                        moved_values[line + column],
                        still_values[line + column - by],
                    ));
                }
            }
        }
        relative(pairs.into_iter())
    };
    interior(shift / jump).min(interior(most))
}

fn relative(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut wrong, mut all) = (0.0, 0.0);
    for (moved, still) in pairs {
        wrong += (moved - still).powi(2);
        all += still.powi(2);
    }
    if all == 0.0 {
        0.0
    } else {
        (wrong / all).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn what_theory_calls_equivariant_is_so_but_for_rounding() {
        let device = Device::flex();
        let images = Tensor::random([4, 1, 28, 28], Distribution::Default, &device);
        let [one, two] = [1, 2].map(|shift| of_layers(images.clone(), shift));
        let of = |errors: &[Error], name: &str| {
            errors
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, error)| *error)
        };
        for name in ["convolution 5x5", "ReLU", "global average pooling"] {
            for errors in [&one, &two] {
                assert!(of(errors, name).expect(name) < 1e-5, "{name}");
            }
        }
        for name in [
            "max pooling 2x2",
            "average pooling 2x2",
            "convolution 5x5, stride 2",
        ] {
            assert!(of(&one, name).expect(name) > 0.05, "{name}");
            assert!(of(&two, name).expect(name) < 1e-5, "{name}");
        }
        assert!(of(&one, "dense layer").expect("a layer") > 0.05);
    }
}

//! Parameters, connections, shapes.

use burn::{
    module::Param,
    tensor::{Device, Tensor},
};
use kiln_models::{
    Network, Options, Step, Task, build, find,
    layers::{Conv, Linear},
    parameters,
};
use kiln_vision::ImageSpec;

/// The networks of the lectures, layer by layer: what each gives for one
/// image, and its parameters. Layers without a shape keep that before them.
const NETWORKS: [(&str, &[&str]); 9] = [
    ("softmax", &["flatten 784", "linear 10: 7850"]),
    (
        "mlp",
        &[
            "flatten 784",
            "linear 256: 200960, ReLU",
            "linear 84: 21588, ReLU",
            "linear 10: 850",
        ],
    ),
    (
        "mlp-meml",
        &[
            "flatten 784",
            "linear 200: 157000, ReLU",
            "linear 100: 20100, tanh",
            "linear 10: 1010",
        ],
    ),
    (
        "cnn-meml",
        &[
            "conv 5x5 8x24x24: 208, ReLU, max pool 2x2 8x12x12",
            "conv 3x3 16x10x10: 1168, ReLU, max pool 2x2 16x5x5",
            "flatten 400",
            "linear 10: 4010",
        ],
    ),
    (
        "cnn-udl",
        &[
            "conv 5x5 10x24x24: 260, max pool 2x2 10x12x12, ReLU",
            "conv 5x5 20x8x8: 5020, channel dropout, max pool 2x2 20x4x4, ReLU",
            "flatten 320",
            "linear 50: 16050, ReLU",
            "linear 10: 510",
        ],
    ),
    (
        "cnn-ntu",
        &[
            "conv 5x5 32x28x28: 832, ReLU, max pool 2x2 32x14x14",
            "conv 5x5 64x14x14: 51264, ReLU, max pool 2x2 64x7x7",
            "flatten 3136",
            "linear 1024: 3212288, ReLU",
            "linear 10: 10250",
        ],
    ),
    (
        "cnn-macau",
        &[
            "conv 2x2 32x31x31: 416, leaky ReLU, adaptive average pool 32x16x16",
            "conv 2x2 64x15x15: 8256, leaky ReLU, adaptive average pool 64x4x4",
            "flatten 1024",
            "linear 10: 10250",
        ],
    ),
    (
        "lenet",
        &[
            "conv 5x5 6x28x28: 156, ReLU, max pool 2x2 6x14x14",
            "conv 5x5 16x10x10: 2416, ReLU, max pool 2x2 16x5x5",
            "flatten 400",
            "linear 120: 48120, ReLU",
            "linear 84: 10164, ReLU",
            "linear 10: 850",
        ],
    ),
    (
        "alexnet",
        &[
            "conv 11x11 64x55x55: 23296, ReLU, max pool 3x3 64x27x27",
            "conv 5x5 192x27x27: 307392, ReLU, max pool 3x3 192x13x13",
            "conv 3x3 384x13x13: 663936, ReLU",
            "conv 3x3 256x13x13: 884992, ReLU",
            "conv 3x3 256x13x13: 590080, ReLU, max pool 3x3 256x6x6",
            "adaptive average pool",
            "flatten 9216, dropout",
            "linear 4096: 37752832, ReLU, dropout",
            "linear 4096: 16781312, ReLU",
            "linear 1000: 4097000",
        ],
    ),
];

fn network(name: &str, input: Option<ImageSpec>) -> (Network, Task) {
    let row = find(name).unwrap();
    let mut task = row.form.task();
    task.input = input.unwrap_or(task.input);
    let network = build(name, &task, &Options::default(), &Device::flex());
    (network.unwrap(), task)
}

fn spelled(step: &Step) -> String {
    let mut text = step.kind.to_owned();
    if let Some(window) = step.window {
        text += &format!(" {window}");
    }
    if step.input != step.output || step.parameters > 0 {
        let shape: Vec<_> = step.output.iter().map(usize::to_string).collect();
        text += &format!(" {}", shape.join("x"));
    }
    if step.parameters > 0 {
        text += &format!(": {}", step.parameters);
    }
    text
}

/// Every network that a lecture defines.
#[test]
fn the_networks_of_the_lectures_are_theirs_layer_by_layer() {
    for (name, layers) in NETWORKS {
        let (network, task) = network(name, None);
        let steps = network.steps(task.input).unwrap();
        let steps: Vec<_> = steps.iter().map(spelled).collect();
        assert_eq!(steps.join(", "), layers.join(", "), "{name}");
    }
}

/// LeNet-5 of 1998: 6@28x28, 6@14x14, 16@10x10, 16@5x5, 120, 84, 10.
#[test]
fn the_maps_of_1998_have_the_sizes_of_the_drawing() {
    let (network, task) = network("lenet5-1998", None);
    let steps = network.steps(task.input).unwrap();
    let mut shapes: Vec<_> = steps.into_iter().map(|step| step.output).collect();
    for shape in [
        &[6, 28, 28][..],
        &[6, 14, 14],
        &[16, 10, 10],
        &[16, 5, 5],
        &[120],
        &[84],
        &[10],
    ] {
        let at = shapes.iter().position(|other| other == shape);
        let at = at.unwrap_or_else(|| panic!("no {shape:?} in {shapes:?}"));
        shapes.drain(..=at);
    }
}

/// A network that pools to fixed sizes takes any image with the same
/// parameters; a dense layer needs more for every pixel.
#[test]
fn more_pixels_need_no_more_parameters_where_maps_are_pooled_to_fixed_sizes() {
    let count = |name, side| {
        let input = ImageSpec::new(3, side, side);
        parameters(&network(name, Some(input)).0)
    };
    for side in [16, 100, 224] {
        assert_eq!(count("cnn-macau", side), 18_922);
    }
    assert_eq!(count("mlp", 224) - count("mlp", 16), (150_528 - 768) * 256);
}

/// A convolution of c_y filters of k x k over c_x channels: c_x c_y k k + c_y.
#[test]
fn a_convolution_has_a_kernel_for_each_pair_of_channels_and_a_bias_for_each_filter() {
    let device = Device::flex();
    for [inputs, outputs, side] in [[3, 10, 5], [1, 1, 1], [16, 32, 3], [3, 64, 11]] {
        let layer = Conv::new(inputs, outputs, side).init(&device);
        let formula = inputs * outputs * side * side + outputs;
        assert_eq!(parameters(&layer), formula);
    }
    // Ten filters of 5x5 on 32x32x3 with padding 2.
    let ten = Conv::new(3, 10, 5).padding(2).init(&device);
    let maps = ten.forward(Tensor::zeros([1, 3, 32, 32], &device));
    assert_eq!((parameters(&ten), maps.dims()), (760, [1, 10, 32, 32]));
}

/// What dense layers would need. The layers are built, but their weights are
/// not drawn: the largest would take 84 GiB.
#[test]
fn dense_layers_between_images_have_billions_of_weights() {
    let dense = |inputs: usize, outputs: usize| Linear::new([inputs, outputs], &Device::flex());
    assert_eq!(parameters(&dense(784, 100)), 784 * 100 + 100);
    // From 256x256x3 to 32x32x36, "7.2 billion connections".
    let inputs = ImageSpec::new(3, 256, 256).len();
    let outputs = ImageSpec::new(36, 32, 32).len();
    let connections = parameters(&dense(inputs, outputs)) - outputs;
    assert_eq!(connections, 7_247_757_312);
    // From 224x224x3 to as many again.
    let pixels = ImageSpec::new(3, 224, 224).len();
    assert_eq!(pixels, 150_528);
    let weights = parameters(&dense(pixels, pixels)) - pixels;
    assert_eq!(weights, 22_658_678_784);
}

/// A dense layer without bias that multiplies by these rows.
fn multiplied<const W: usize, const H: usize>(rows: [[f32; W]; H], by: [f32; W]) -> Vec<f32> {
    let device = Device::flex();
    let mut layer = Linear::new([W, H], &device);
    layer.weight = Param::from_tensor(Tensor::<2>::from_floats(rows, &device).transpose());
    layer.bias = None;
    let y = layer.forward(Tensor::<2>::from_floats([by], &device));
    y.into_data().iter::<f32>().collect()
}

/// Sparse parametrisation: few weights are not zero (Goodfellow et al. 2016,
/// equation 7.46).
#[test]
fn a_sparse_matrix_gives_18_5_15_minus_9_minus_3() {
    let a = [
        [4.0, 0.0, 0.0, -2.0, 0.0, 0.0],
        [0.0, 0.0, -1.0, 0.0, 3.0, 0.0],
        [0.0, 5.0, 0.0, 0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, -1.0, 0.0, -4.0],
        [1.0, 0.0, 0.0, 0.0, -5.0, 0.0],
    ];
    let y = multiplied(a, [2.0, 3.0, -2.0, -5.0, 1.0, 4.0]);
    assert_eq!(y, [18.0, 5.0, 15.0, -9.0, -3.0]);
}

/// Sparse representation: few values are not zero (equation 7.47).
#[test]
fn a_sparse_code_gives_minus_14_1_19_2_23() {
    let b = [
        [3.0, -1.0, 2.0, -5.0, 4.0, 1.0],
        [4.0, 2.0, -3.0, -1.0, 1.0, 3.0],
        [-1.0, 5.0, 4.0, 2.0, -3.0, -2.0],
        [3.0, 1.0, 2.0, -3.0, 0.0, -3.0],
        [-5.0, 4.0, -2.0, 2.0, -5.0, -1.0],
    ];
    let y = multiplied(b, [0.0, 2.0, 0.0, 0.0, -3.0, 0.0]);
    assert_eq!(y, [-14.0, 1.0, 19.0, 2.0, 23.0]);
}

//! Every optimizer and every schedule against PyTorch: parameters of a small
//! network after twenty steps, and the rates of 200 steps. The reference is
//! made by `torch/optimizers.py`, in float64; what torch.optim lacks is written
//! out there from the papers.

use burn::{
    module::{Module, Param},
    optim::GradientsParams,
    tensor::{
        Device, Int, Tensor, TensorData, activation::log_softmax, module::conv2d, ops::ConvOptions,
    },
};
use kiln_training::{
    OPTIMIZERS, OptimizerSettings, SCHEDULES, Schedule, ScheduleSettings, find_optimizer,
    find_schedule,
};
use safetensors::SafeTensors;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};
use toml::Table;

/// Largest difference of a parameter, of order 1, after twenty steps.
const TOLERANCE: f64 = 1e-5;
/// Largest difference of a rate over the full rate.
const RATE_TOLERANCE: f64 = 1e-12;

const STEPS: usize = 20;
const PER_EPOCH: usize = 20;
const RATE: f64 = 0.1;

/// The reference file: tensors as float64, and settings.
struct Reference {
    tensors: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
    settings: BTreeMap<String, Table>,
}

impl Reference {
    fn read() -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("torch/reference/optimizers.safetensors");
        let bytes = fs::read(path).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let settings = metadata.metadata().as_ref().unwrap().iter();
        let settings = settings
            .map(|(name, text)| (name.clone(), text.parse().unwrap()))
            .collect();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = file.iter().map(|(name, view)| {
            let eight = |bytes: &[u8]| <[u8; 8]>::try_from(bytes).unwrap();
            let data = view.data();
            let values: Vec<f64> = match view.dtype() {
                safetensors::Dtype::F32 => data
                    .chunks_exact(4)
                    .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()).into())
                    .collect(),
                safetensors::Dtype::F64 => data
                    .chunks_exact(8)
                    .map(|bytes| f64::from_le_bytes(eight(bytes)))
                    .collect(),
                _ => data
                    .chunks_exact(8)
                    .map(|bytes| i64::from_le_bytes(eight(bytes)) as f64)
                    .collect(),
            };
            (name.to_owned(), (view.shape().to_vec(), values))
        });
        Self {
            tensors: tensors.collect(),
            settings,
        }
    }

    fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        let (shape, values) = &self.tensors[name];
        let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        Tensor::from_data(TensorData::new(values, shape.clone()), device)
    }

    /// Cases below `prefix` and their settings.
    fn cases(&self, prefix: &'static str) -> impl Iterator<Item = (&str, &Table)> {
        let settings = self.settings.iter();
        settings.filter_map(move |(name, table)| Some((name.strip_prefix(prefix)?, table)))
    }
}

/// `defaults` with the numbers of `over`.
fn laid<T: Serialize + DeserializeOwned>(defaults: T, over: &Table) -> T {
    let mut table = Table::try_from(defaults).unwrap();
    for (key, value) in over {
        assert!(table.insert(key.clone(), value.clone()).is_some(), "{key}");
    }
    table.try_into().unwrap()
}

#[derive(Module, Debug)]
struct Layer<const D: usize> {
    weight: Param<Tensor<D>>,
    bias: Param<Tensor<1>>,
}

#[derive(Module, Debug)]
struct Net {
    norm: Layer<1>,
    conv: Layer<4>,
    linear: Layer<2>,
}

impl Net {
    fn of(reference: &Reference, device: &Device) -> Self {
        fn layer<const D: usize>(
            reference: &Reference,
            name: &str,
            device: &Device,
            turn: fn(Tensor<D>) -> Tensor<D>,
        ) -> Layer<D> {
            let weight = reference.tensor(&format!("initial/{name}.weight"), device);
            let bias = reference.tensor(&format!("initial/{name}.bias"), device);
            Layer {
                weight: Param::from_tensor(turn(weight)),
                bias: Param::from_tensor(bias),
            }
        }
        Self {
            norm: layer(reference, "norm", device, |weight| weight),
            conv: layer(reference, "conv", device, |weight| weight),
            linear: layer(reference, "linear", device, |weight: Tensor<2>| {
                // A buffer of its own, in the order of Burn's linear layers.
                let turned = weight.transpose();
                turned.zeros_like() + turned
            }),
        }
    }

    fn loss(&self, images: Tensor<4>, targets: Tensor<1, Int>) -> Tensor<1> {
        let over_maps = |x: Tensor<4>| x.mean_dim(0).mean_dim(2).mean_dim(3);
        let x = images.clone() - over_maps(images);
        let x = x.clone() / (over_maps(x.square()) + 1e-5).sqrt();
        let channels = |values: Tensor<1>| values.reshape([1, -1, 1, 1]);
        let x = x * channels(self.norm.weight.val()) + channels(self.norm.bias.val());
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        let bias = Some(self.conv.bias.val());
        let x = conv2d(x, self.conv.weight.val(), bias, options).tanh();
        let [batch, maps, height, width] = x.dims();
        let windows: Tensor<6> = x.reshape([batch, maps, height / 2, 2, width / 2, 2]);
        let x = windows.mean_dim(3).mean_dim(5).reshape([batch as i32, -1]);
        let bias = self.linear.bias.val().unsqueeze();
        let x: Tensor<2> = x.matmul(self.linear.weight.val()) + bias;
        let right = log_softmax(x, 1).gather(1, targets.unsqueeze_dim(1));
        right.mean().neg()
    }

    fn values(&self) -> [(&'static str, Vec<f64>); 6] {
        fn list<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
            tensor.into_data().iter::<f64>().collect()
        }
        [
            ("norm.weight", list(self.norm.weight.val())),
            ("norm.bias", list(self.norm.bias.val())),
            ("conv.weight", list(self.conv.weight.val())),
            ("conv.bias", list(self.conv.bias.val())),
            ("linear.weight", list(self.linear.weight.val().transpose())),
            ("linear.bias", list(self.linear.bias.val())),
        ]
    }
}

/// The network after the steps of a case.
fn trained(reference: &Reference, settings: &OptimizerSettings) -> Net {
    let device = Device::flex().autodiff();
    let mut net = Net::of(reference, &device);
    let images: Tensor<5> = reference.tensor("images", &device);
    let (shape, targets) = &reference.tensors["targets"];
    let targets: Vec<i64> = targets.iter().map(|target| *target as i64).collect();
    let targets: Tensor<2, Int> =
        Tensor::from_data(TensorData::new(targets, shape.clone()), &device);
    let mut optimizer = settings.build().unwrap();
    for step in 0..STEPS {
        let at = step % shape[0];
        let images = images.clone().narrow(0, at, 1).squeeze_dim(0);
        let targets = targets.clone().narrow(0, at, 1).squeeze_dim(0);
        let gradients = GradientsParams::from_grads(net.loss(images, targets).backward(), &net);
        net = optimizer.step(settings.lr, net, gradients);
    }
    net
}

fn largest_difference(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |worst, difference| {
        assert!(difference.is_finite());
        f64::max(worst, difference)
    })
}

#[test]
#[allow(clippy::print_stdout)]
fn every_optimizer_takes_pytorchs_steps() {
    let reference = Reference::read();
    let start = Net::of(&reference, &Device::flex()).values();
    let mut compared = BTreeSet::new();
    for (case, over) in reference.cases("optimizer/") {
        let row = find_optimizer(over["name"].as_str().unwrap()).unwrap();
        let settings = laid(row.defaults(), over);
        settings.check().unwrap();
        let (mut worst, mut moved) = (0.0, 0.0);
        let after = trained(&reference, &settings).values();
        for ((name, ours), (_, before)) in after.iter().zip(&start) {
            let (_, theirs) = &reference.tensors[&format!("after/{case}/{name}")];
            worst = f64::max(worst, largest_difference(ours, theirs));
            moved = f64::max(moved, largest_difference(before, theirs));
        }
        println!("{case:<40} {worst:.1e}");
        assert!(worst < TOLERANCE, "{case}: {worst}");
        assert!(moved > 100.0 * TOLERANCE, "{case} hardly moves: {moved}");
        compared.insert(row.name);
    }
    let all: BTreeSet<_> = OPTIMIZERS.iter().map(|row| row.name).collect();
    assert_eq!(compared, all);
}

#[test]
#[allow(clippy::print_stdout)]
fn every_schedule_has_pytorchs_rates() {
    let reference = Reference::read();
    let (_, losses) = &reference.tensors["losses"];
    let mut compared = BTreeSet::new();
    for (case, over) in reference.cases("schedule/") {
        let row = find_schedule(over["name"].as_str().unwrap()).unwrap();
        let settings: ScheduleSettings = laid(row.defaults(), over);
        settings.check(RATE, losses.len()).unwrap();
        let schedule = Schedule::new(&settings, RATE, losses.len(), PER_EPOCH).unwrap();
        let mut ours = Vec::new();
        for (epoch, loss) in losses.iter().enumerate() {
            let steps = epoch * PER_EPOCH..(epoch + 1) * PER_EPOCH;
            ours.extend(steps.map(|step| schedule.lr(step)));
            schedule.observe(*loss);
        }
        let (_, theirs) = &reference.tensors[&format!("rates/{case}")];
        let worst = largest_difference(&ours, theirs) / RATE;
        println!("{case:<40} {worst:.1e}");
        assert!(worst < RATE_TOLERANCE, "{case}: {worst}");
        compared.insert(row.name);
    }
    let all: BTreeSet<_> = SCHEDULES.iter().map(|row| row.name).collect();
    assert_eq!(compared, all);
}

#[test]
fn defaults_are_pytorchs() {
    let reference = Reference::read();
    let mut compared = 0;
    for (row, theirs) in reference.cases("defaults/") {
        let ours = Table::try_from(find_optimizer(row).unwrap().defaults()).unwrap();
        for (key, theirs) in theirs {
            assert_eq!(ours[key], *theirs, "{row}: {key}");
            compared += 1;
        }
    }
    assert!(compared > 15);
    let misspelt = find_optimizer("adma").err().unwrap().to_string();
    assert!(misspelt.contains("did you mean 'adam'?"), "{misspelt}");
}

//! The same numbers as PyTorch: logits of narrow twins of torchvision's
//! networks, and five training steps, gradients and running statistics
//! included. The references in `torch/reference` are made by
//! `torch/make_reference.py`.

use burn::{
    module::{Module, ModuleMapper, Param},
    optim::GradientsParams,
    tensor::{Device, Int, Tensor, TensorData},
};
use kiln_models::{
    Head, LastNorm, Network, Options, Shortcut, Task, alexnet::AlexNetConfig,
    densenet::DenseNetConfig, lenet::LeNet, mobilenet_v2::MobileNetV2Config,
    preact_resnet::PreActResNetConfig, resnet::ResNetConfig, squeezenet::SqueezeNetConfig,
    vgg::VggConfig,
};
use kiln_training::find_optimizer;
use kiln_vision::ImageSpec;
use kiln_weights::{StateDict, load_weights};
use safetensors::{SafeTensors, tensor::TensorView};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Largest difference over the largest value.
const TOLERANCE: f32 = 1e-4;

/// The tensors of a reference file.
struct Reference(BTreeMap<String, (Vec<usize>, Vec<f32>)>, Vec<i64>);

impl Reference {
    fn read(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(format!("torch/reference/{name}.safetensors"));
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let mut targets = Vec::new();
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            if name == "targets" {
                let chunks = view.data().chunks_exact(8);
                targets = chunks
                    .map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap()))
                    .collect();
                continue;
            }
            let chunks = view.data().chunks_exact(4);
            let values = chunks.map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
            tensors.insert(name.to_owned(), (view.shape().to_vec(), values.collect()));
        }
        Self(tensors, targets)
    }

    /// The tensors below `prefix`, without it.
    fn below(&self, prefix: &str) -> BTreeMap<String, &(Vec<usize>, Vec<f32>)> {
        let tensors = self.0.iter();
        tensors
            .filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor)))
            .collect()
    }

    /// `network` with the tensors below `prefix`, read from a file as a user's
    /// would be: nothing may be missing or left over.
    fn load(&self, network: Network, prefix: &str) -> Network {
        let tensors = self.below(prefix);
        let bytes: BTreeMap<_, Vec<u8>> = tensors
            .iter()
            .map(|(name, (_, values))| {
                (
                    name,
                    values
                        .iter()
                        .flat_map(|value| value.to_le_bytes())
                        .collect(),
                )
            })
            .collect();
        let views = tensors.iter().map(|(name, (shape, _))| {
            let view = TensorView::new(safetensors::Dtype::F32, shape.clone(), &bytes[name]);
            (name.clone(), view.unwrap())
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
        load_weights(network, &path).unwrap()
    }

    fn tensor(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        self.0[name].clone()
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Largest absolute difference over largest absolute value.
fn deviation(ours: &[f32], theirs: &[f32]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let largest = theirs
        .iter()
        .fold(0f32, |most, value| most.max(value.abs()));
    let difference = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    difference.fold(0f32, f32::max) / largest.max(f32::MIN_POSITIVE)
}

fn task(side: usize, channels: usize) -> Task {
    Task {
        input: ImageSpec::new(channels, side, side),
        classes: 10,
    }
}

/// A narrow twin for colour images of `side` x `side`.
fn twin(name: &str, task: &Task, device: &Device) -> Network {
    let none = Options::default();
    let resnet = |width: usize| ResNetConfig {
        width,
        ..ResNetConfig::imagenet(&[1, 1, 1, 1])
    };
    match name {
        "alexnet" => {
            let config = AlexNetConfig {
                channels: [2, 6, 12, 8, 8],
                head: Head::Hidden(128),
                ..AlexNetConfig::one_tower()
            };
            Network::AlexNet(config.init(task, &none, device).unwrap())
        }
        "vgg11" | "vgg11_bn" => {
            let full = match name {
                "vgg11" => VggConfig::vgg11(),
                _ => VggConfig::vgg11().batch_norm(),
            };
            let config = VggConfig {
                stages: [(2, 1), (4, 1), (8, 2), (16, 2), (16, 2)],
                head: Head::Hidden(32),
                ..full
            };
            Network::Vgg(config.init(task, &none, device).unwrap())
        }
        "resnet-basic" => Network::ResNet(resnet(8).init(task, &none, device)),
        "resnet-bottleneck" => Network::ResNet(resnet(4).bottleneck().init(task, &none, device)),
        "resnext" => {
            let config = resnet(4).bottleneck().groups(4, 32);
            Network::ResNet(config.init(task, &none, device))
        }
        "densenet" => {
            let config = DenseNetConfig {
                channels: 8,
                ..DenseNetConfig::imagenet(4, &[2, 2, 2, 2])
            };
            Network::DenseNet(config.init(task, &none, device))
        }
        "mobilenet_v2" => {
            let config = MobileNetV2Config {
                width: 0.1,
                ..MobileNetV2Config::imagenet()
            };
            Network::MobileNetV2(config.init(task, &none, device))
        }
        "squeezenet1_1" => {
            let config = SqueezeNetConfig::new().narrower(8);
            Network::SqueezeNet(config.init(task, &none, device))
        }
        "preact" => {
            let config = PreActResNetConfig {
                width: 4,
                ..PreActResNetConfig::new([2, 2, 2, 2])
            };
            Network::PreActResNet(config.init(task, device))
        }
        "resnet20-projection" => {
            let options = Options {
                shortcut: Some(Shortcut::Projection),
                last_norm: Some(LastNorm::One),
                ..none
            };
            let config = ResNetConfig {
                width: 4,
                ..ResNetConfig::cifar(20)
            };
            Network::ResNet(config.init(task, &options, device))
        }
        other => panic!("no twin {other}"),
    }
}

#[test]
fn twins_of_torchvisions_networks_give_torchvisions_logits() {
    let device = Device::flex();
    for name in [
        "alexnet",
        "vgg11",
        "vgg11_bn",
        "resnet-basic",
        "resnet-bottleneck",
        "resnext",
        "densenet",
        "mobilenet_v2",
        "squeezenet1_1",
        "preact",
        "resnet20-projection",
    ] {
        let reference = Reference::read(&format!("twin-{name}"));
        let (shape, images) = reference.tensor("images");
        let network = twin(name, &task(shape[2], shape[1]), &device);
        let network = reference.load(network, "weights/");
        let images = Tensor::<4>::from_data(TensorData::new(images, shape), &device);
        let ours = values(network.forward(images));
        let deviation = deviation(&ours, &reference.tensor("logits").1);
        assert!(deviation < TOLERANCE, "{name}: {deviation:e}");
    }
}

/// Puts the gradient of each parameter in its place.
struct Gradients<'a>(&'a GradientsParams);

impl ModuleMapper for Gradients<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.get::<D>(param.id) {
            Some(gradient) => Param::initialized(param.id, gradient),
            None => param,
        }
    }
}

/// Compares every tensor that the reference has below `prefix`; gives the
/// share of values that agree and the largest difference.
fn compare(network: &Network, reference: &Reference, prefix: &str) -> (f64, f32) {
    let ours = StateDict::of(network).unwrap();
    let theirs = reference.below(prefix);
    assert!(!theirs.is_empty());
    let (mut agree, mut count, mut most) = (0usize, 0usize, 0f32);
    for (name, (shape, values)) in theirs {
        let tensor = &ours.tensors()[&name];
        assert_eq!(&tensor.shape, shape, "{name}");
        for (a, b) in tensor.values.iter().zip(values) {
            let difference = (a - b).abs();
            most = most.max(difference);
            agree += usize::from(difference < TOLERANCE);
            count += 1;
        }
    }
    (agree as f64 / count as f64, most)
}

/// Five steps of `optimizer`; gives the losses, the gradients of the first
/// step and the network after the last.
fn train(network: Network, reference: &Reference, optimizer: &str) -> (Vec<f32>, Network, Network) {
    let device = Device::flex().autodiff();
    let mut settings = find_optimizer(optimizer).unwrap().defaults();
    (settings.lr, settings.weight_decay) = match optimizer {
        "momentum" => (0.05, 5e-4),
        _ => (1e-3, 0.0),
    };
    settings.decay = "all".to_owned();
    let mut rule = settings.build().unwrap();
    let (shape, images) = reference.tensor("images");
    let (batch, image) = (shape[1], shape[2..].iter().product::<usize>());
    let mut network = network.fork(&device).train();
    let mut losses = Vec::new();
    let mut first = None;
    for step in 0..shape[0] {
        let values = images[step * batch * image..][..batch * image].to_vec();
        let data = TensorData::new(values, [batch, shape[2], shape[3], shape[4]]);
        let logits = network.forward(Tensor::from_data(data, &device));
        let targets = Tensor::<1, Int>::from_ints(&reference.1[step * batch..][..batch], &device);
        let loss = burn::nn::loss::CrossEntropyLossConfig::new()
            .init(&device)
            .forward(logits, targets);
        losses.push(loss.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        first.get_or_insert_with(|| network.valid().map(&mut Gradients(&gradients)));
        network = rule.step(settings.lr, network, gradients);
    }
    (losses, first.unwrap(), network.valid())
}

#[test]
fn five_training_steps_are_those_of_pytorch() {
    let device = Device::flex();
    for name in ["lenet", "resnet20", "vgg11"] {
        let reference = Reference::read(&format!("steps-{name}"));
        let (shape, _) = reference.tensor("images");
        let task = task(shape[3], shape[2]);
        let options = Options {
            shortcut: Some(Shortcut::Pad),
            ..Options::default()
        };
        let network = match name {
            "lenet" => Network::LeNet(LeNet::new(&task, &Options::default(), &device).unwrap()),
            "resnet20" => {
                let config = ResNetConfig {
                    width: 4,
                    ..ResNetConfig::cifar(20)
                };
                Network::ResNet(config.init(&task, &options, &device))
            }
            _ => {
                let config = VggConfig {
                    stages: [(3, 1), (6, 1), (12, 2), (24, 2), (24, 2)],
                    ..VggConfig::vgg11().batch_norm().small()
                };
                Network::Vgg(config.init(&task, &Options::default(), &device).unwrap())
            }
        };
        let initial = reference.load(network, "initial/");
        let (losses, gradients, trained) = train(initial.clone(), &reference, "momentum");
        let off = deviation(&losses, &reference.tensor("loss").1);
        assert!(off < TOLERANCE, "{name}: loss {off:e}");
        let (_, off) = compare(&gradients, &reference, "gradient/");
        assert!(off < TOLERANCE, "{name}: gradient {off:e}");
        let (_, off) = compare(&trained, &reference, "sgd/");
        assert!(off < TOLERANCE, "{name}: SGD {off:e}");
        // Adam moves by the sign of a gradient, also where that is rounding noise.
        let (_, _, trained) = train(initial, &reference, "adam");
        let (share, off) = compare(&trained, &reference, "adam/");
        assert!(share >= 0.9999, "{name}: Adam {share} agree, {off:e}");
    }
}

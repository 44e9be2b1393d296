//! Parameters and multiply-accumulates against what was published elsewhere.
//!
//! `cargo test --release --workspace published -- --nocapture` prints the table.
//!
//! Sources: torchvision's metadata (`num_params`, and `_ops` in units of 1e9)
//! for its own names; He et al. 2015, table 6, and the READMEs of
//! chenyaofo/pytorch-cifar-models, kuangliu/pytorch-cifar,
//! bearpaw/pytorch-classification and davidcpage/cifar10-fast for small
//! images, with multiply-accumulates in units of 1e6; LeCun et al. 1998 for
//! LeNet-5.

use kiln_models::{MODELS, Options, build, find, summarize};

/// Name, parameters, multiply-accumulates in units of 1e9.
const IMAGENET: &[(&str, usize, f64)] = &[
    ("alexnet", 61_100_840, 0.714),
    ("vgg11", 132_863_336, 7.609),
    ("vgg11_bn", 132_868_840, 7.609),
    ("vgg13", 133_047_848, 11.308),
    ("vgg13_bn", 133_053_736, 11.308),
    ("vgg16", 138_357_544, 15.47),
    ("vgg16_bn", 138_365_992, 15.47),
    ("vgg19", 143_667_240, 19.632),
    ("vgg19_bn", 143_678_248, 19.632),
    ("resnet18", 11_689_512, 1.814),
    ("resnet34", 21_797_672, 3.664),
    ("resnet50", 25_557_032, 4.089),
    ("resnet101", 44_549_160, 7.801),
    ("resnet152", 60_192_808, 11.514),
    ("wide_resnet50_2", 68_883_240, 11.398),
    ("resnext50_32x4d", 25_028_904, 4.23),
    ("resnext101_32x8d", 88_791_336, 16.414),
    ("densenet121", 7_978_856, 2.834),
    ("densenet161", 28_681_000, 7.728),
    ("densenet169", 14_149_480, 3.36),
    ("densenet201", 20_013_928, 4.291),
    ("mobilenet_v2", 3_504_872, 0.301),
    ("squeezenet1_1", 1_235_496, 0.349),
];

/// Name, parameters, multiply-accumulates in units of 1e6.
const SMALL: &[(&str, usize, f64)] = &[
    ("mlp", 223_398, 0.223),
    ("one-hidden", 238_510, 0.238),
    ("lenet", 61_706, 0.417),
    ("alexnet-cifar", 2_472_266, 14.957),
    ("vgg11-bn-cifar", 9_231_114, 152.770),
    ("vgg13-bn-cifar", 9_416_010, 228.267),
    ("vgg16-bn-cifar", 14_728_266, 313.202),
    ("vgg19-bn-cifar", 20_040_522, 398.136),
    ("resnet20", 269_722, 40.551),
    ("resnet32", 464_154, 68.863),
    ("resnet44", 658_586, 97.174),
    ("resnet56", 853_018, 125.486),
    ("resnet110", 1_727_962, 252.888),
    ("resnet18-cifar", 11_173_962, 555.423),
    ("resnet34-cifar", 21_282_122, 1159.402),
    ("resnet50-cifar", 23_520_842, 1297.830),
    ("preact_resnet18", 11_171_146, 555.423),
    ("resnext29", 4_774_218, 772.483),
    ("densenet-bc-100-12", 769_162, 287.930),
    ("mobilenet_v2-cifar", 2_236_682, 87.976),
];

/// Networks whose sources give parameters alone.
const PARAMETERS: &[(&str, usize)] = &[
    ("lenet5-1998", 60_000),
    ("alexnet-2012", 60_965_224),
    ("resnet9", 6_573_120),
    ("cnn-ntu", 3_274_634),
];

/// Parameters and multiply-accumulates, counted layer by layer.
fn counted(name: &str) -> (usize, u64) {
    let row = find(name).unwrap();
    let (task, device) = (row.form.task(), kiln_backend::host());
    let network = build(name, &task, &Options::default(), &device).unwrap();
    let summary = summarize(name, &network, &task).unwrap();
    (summary.params, summary.macs)
}

#[test]
#[allow(clippy::print_stdout)]
fn counts_are_the_published_ones() {
    println!("| model | parameters | published | MACs | published |");
    println!("|---|---:|---:|---:|---:|");
    for (table, unit) in [(IMAGENET, 1e9), (SMALL, 1e6)] {
        for (name, parameters, published) in table {
            let (params, macs) = counted(name);
            println!("| {name} | {params} | {parameters} | {macs} | {published} x {unit:.0e} |");
            assert_eq!(params, *parameters, "{name}");
            let rounded = (macs as f64 / unit * 1e3).round() / 1e3;
            assert!((rounded - published).abs() < 1e-9, "{name}: {macs}");
        }
    }
    for (name, parameters) in PARAMETERS {
        let (params, macs) = counted(name);
        println!("| {name} | {params} | {parameters} | {macs} | |");
        assert_eq!(params, *parameters, "{name}");
    }
}

#[test]
fn the_projection_shortcut_adds_its_published_parameters() {
    let options = Options {
        shortcut: Some(kiln_models::Shortcut::Projection),
        ..Options::default()
    };
    for (name, published) in [
        ("resnet20", 272_474),
        ("resnet32", 466_906),
        ("resnet44", 661_338),
        ("resnet56", 855_770),
        ("resnet110", 1_730_714),
    ] {
        let task = find(name).unwrap().form.task();
        let network = build(name, &task, &options, &kiln_backend::host()).unwrap();
        assert_eq!(kiln_models::parameters(&network), published, "{name}");
    }
}

#[test]
fn every_network_of_torchvision_is_published() {
    let listed = IMAGENET.iter().map(|(name, ..)| *name);
    let listed: Vec<_> = listed.chain(["alexnet-2012"]).collect();
    let large = MODELS
        .iter()
        .filter(|row| row.form == kiln_models::Form::ImageNet);
    assert!(large.into_iter().all(|row| listed.contains(&row.name)));
}

//! What every optimizer promises: a record from which it goes on bit for bit,
//! and decay of what is to decay.

use super::*;
use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Device, FloatDType, Tensor},
};

/// A parameter of each kind: kernel, matrix, a locally connected layer's bias,
/// bias.
#[derive(Module, Debug)]
struct Net {
    kernel: Param<Tensor<4>>,
    weight: Param<Tensor<2>>,
    local: Local,
    bias: Param<Tensor<1>>,
}

#[derive(Module, Debug)]
struct Local {
    bias: Param<Tensor<3>>,
}

/// Numbers between -1 and 1 without a pattern.
fn numbers<const D: usize>(shape: [usize; D], seed: f32, device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|at| ((at as f32 + 1.0) * (seed + 0.7)).sin())
        .collect();
    Tensor::<1>::from_floats(values.as_slice(), device).reshape(shape)
}

fn net() -> Net {
    net_of(FloatDType::F32)
}

fn net_of(kind: FloatDType) -> Net {
    fn param<const D: usize>(shape: [usize; D], seed: f32, kind: FloatDType) -> Param<Tensor<D>> {
        let device = Device::flex().autodiff();
        Param::from_tensor(numbers(shape, seed, &device).cast(kind).detach())
    }
    Net {
        kernel: param([4, 2, 3, 3], 1.0, kind),
        weight: param([6, 5], 2.0, kind),
        local: Local {
            bias: param([2, 3, 3], 3.0, kind),
        },
        bias: param([5], 4.0, kind),
    }
}

/// Half of the sum of squared distances from a point that moves.
fn loss(net: &Net, step: usize) -> Tensor<1> {
    fn part<const D: usize>(param: &Param<Tensor<D>>, step: usize) -> Tensor<1> {
        let value = param.val();
        let target = numbers(value.dims(), 5.0 + step as f32, &value.device());
        let target = target.cast(value.dtype());
        (value - target).square().sum() * 0.5
    }
    part(&net.kernel, step)
        + part(&net.weight, step)
        + part(&net.local.bias, step)
        + part(&net.bias, step)
}

fn train(
    mut net: Net,
    mut optimizer: ModuleOptimizer,
    steps: std::ops::Range<usize>,
    gradient: f32,
) -> (Net, ModuleOptimizer) {
    for step in steps {
        let loss = loss(&net, step) * gradient;
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        net = optimizer.step(0.01, net, gradients);
    }
    (net, optimizer)
}

#[derive(Default)]
struct Bits(Vec<Vec<u32>>);

impl ModuleVisitor for Bits {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val().into_data();
        self.0
            .push(values.iter::<f32>().map(f32::to_bits).collect());
    }
}

fn bits(net: &Net) -> Vec<Vec<u32>> {
    let mut bits = Bits::default();
    net.visit(&mut bits);
    bits.0
}

#[test]
fn every_optimizer_goes_on_where_its_record_stopped_bit_for_bit() {
    for row in OPTIMIZERS {
        for lookahead in [row.lookahead, 3] {
            for momentum_switch_steps in [0, 13] {
                let settings = OptimizerSettings {
                    weight_decay: 0.1,
                    lookahead,
                    momentum_switch_steps,
                    ..row.defaults()
                };
                let build = || settings.build().expect("an optimizer");
                let start = net();
                let (whole, _) = train(start.clone(), build(), 0..20, 1.0);
                let (half, optimizer) = train(start.clone(), build(), 0..10, 1.0);
                let bytes = optimizer.into_bytes().expect("a record");
                let loaded = build().from_bytes(bytes).expect("the record");
                let (resumed, _) = train(half.clone(), loaded, 10..20, 1.0);
                let case = (row.name, lookahead, momentum_switch_steps);
                assert_eq!(bits(&resumed), bits(&whole), "{case:?}");
                assert_ne!(bits(&half), bits(&whole), "{case:?}");
                // A state that was lost would show where there is one.
                let (forgetful, _) = train(half, build(), 10..20, 1.0);
                let stateless = matches!(row.name, "gd" | "sgd") && lookahead == 0;
                assert_eq!(bits(&forgetful) == bits(&whole), stateless, "{case:?}");
            }
        }
    }
}

#[derive(Default)]
struct Values(Vec<f64>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.extend(param.val().into_data().iter::<f64>());
    }
}

/// In float64 nothing is fused, as on other backends.
#[test]
fn burns_operations_take_the_steps_of_the_fused_loops() {
    for row in OPTIMIZERS {
        let settings = OptimizerSettings {
            weight_decay: 0.1,
            ..row.defaults()
        };
        let after = |kind| {
            let optimizer = settings.build().expect("an optimizer");
            let mut values = Values::default();
            train(net_of(kind), optimizer, 0..10, 1.0)
                .0
                .visit(&mut values);
            values.0
        };
        let (fused, plain) = (after(FloatDType::F32), after(FloatDType::F64));
        for (fused, plain) in fused.into_iter().zip(plain) {
            assert!(
                (fused - plain).abs() < 2e-5,
                "{}: {fused} {plain}",
                row.name
            );
        }
    }
}

/// Which of kernel, matrix, local bias and bias change without a gradient.
fn decays(row: &OptimizerRow, decay: &str) -> [bool; 4] {
    let settings = OptimizerSettings {
        weight_decay: 0.1,
        decay: decay.to_owned(),
        lookahead: 1,
        ..row.defaults()
    };
    settings.check().expect("a decay");
    let start = net();
    let (after, _) = train(start.clone(), settings.build().expect("one"), 0..1, 0.0);
    let (before, after) = (bits(&start), bits(&after));
    [0, 1, 2, 3].map(|at| before[at] != after[at])
}

#[test]
fn only_what_is_chosen_decays() {
    for row in OPTIMIZERS {
        let cases = [
            ("weights", [true, true, false, false]),
            ("all", [true; 4]),
            ("bias", [false, false, true, true]),
            (r"kernel|l\.bias", [true, false, true, false]),
        ];
        for (decay, expected) in cases {
            assert_eq!(decays(row, decay), expected, "{} {decay}", row.name);
        }
    }
}

#[test]
fn the_first_momentum_holds_for_its_steps() {
    let build = |momentum, momentum_switch_steps| {
        let settings = OptimizerSettings {
            momentum,
            momentum_start: 0.1,
            momentum_switch_steps,
            ..find_optimizer("momentum").expect("a row").defaults()
        };
        settings.build().expect("an optimizer")
    };
    let start = net();
    let after = |optimizer, steps| bits(&train(start.clone(), optimizer, 0..steps, 1.0).0);
    assert_eq!(after(build(0.9, 5), 5), after(build(0.1, 0), 5));
    assert_ne!(after(build(0.9, 5), 6), after(build(0.1, 0), 6));
    assert_ne!(after(build(0.9, 5), 6), after(build(0.9, 0), 6));
}

#[test]
fn impossible_numbers_are_refused() {
    type Change = fn(&mut OptimizerSettings);
    let check = |name: &str, change: Change| {
        let mut settings = find_optimizer(name).expect("an optimizer").defaults();
        change(&mut settings);
        settings.check()
    };
    for row in OPTIMIZERS {
        assert_eq!(check(row.name, |_| ()), Ok(()), "{}", row.name);
    }
    let wrong: [(&str, Change); 14] = [
        ("lr", |s| s.lr = 0.0),
        ("lr", |s| s.lr = f64::NAN),
        ("head_lr", |s| s.head_lr = -1.0),
        ("momentum", |s| s.momentum = 1.0),
        ("momentum_start", |s| s.momentum_start = -0.1),
        ("beta1", |s| s.beta1 = 1.0),
        ("beta2", |s| s.beta2 = f64::NAN),
        ("alpha", |s| s.alpha = 1.0),
        ("epsilon", |s| s.epsilon = 0.0),
        ("weight_decay", |s| s.weight_decay = f64::INFINITY),
        ("lookahead_alpha", |s| s.lookahead_alpha = 0.0),
        ("adamw_lr", |s| s.adamw_lr = -1.0),
        ("decay", |s| s.decay = "(".to_owned()),
        ("decay", |s| s.decay = "^conv1".to_owned()),
    ];
    for (key, change) in wrong {
        let refusal = check("sgd", change).expect_err(key);
        assert!(
            refusal.starts_with(&format!("optimizer.{key} is")),
            "{refusal}"
        );
    }
    let refusal = check("adam", |s| s.momentum = 0.9).expect_err("has none");
    assert!(refusal.contains("but adam has none"), "{refusal}");
    assert_eq!(check("rmsprop", |s| s.momentum = 0.9), Ok(()));
    let refusal = check("lookahead", |s| s.lookahead = 0).expect_err("nothing");
    assert!(refusal.starts_with("optimizer.lookahead is 0"), "{refusal}");
}

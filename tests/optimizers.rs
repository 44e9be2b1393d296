//! Every optimizer against PyTorch's definition, written out in f64: SGD,
//! Adam and AdamW as in the algorithms of torch.optim's documentation.

use burn::{
    module::{Module, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use kiln_training::{OPTIMIZERS, OptimizerSettings, find_optimizer};

const START: [f64; 4] = [0.5, -1.0, 2.0, 0.1];
const CURVATURE: [f64; 4] = [1.0, 3.0, 0.5, 10.0];
const STEPS: usize = 20;

#[derive(Module, Debug)]
struct Weights {
    weight: Param<Tensor<1>>,
}

/// The weights after 20 steps on half the sum of c w^2.
fn burn_steps(settings: &OptimizerSettings) -> Vec<f64> {
    let device = Device::flex().autodiff();
    let floats = |values: [f64; 4]| Tensor::<1>::from_floats(values.map(|v| v as f32), &device);
    let mut weights = Weights {
        weight: Param::from_tensor(floats(START)),
    };
    let mut optimizer = settings.build().unwrap();
    for _ in 0..STEPS {
        let loss = (weights.weight.val().square() * floats(CURVATURE)).sum() * 0.5;
        let gradients = GradientsParams::from_grads(loss.backward(), &weights);
        weights = optimizer.step(settings.lr, weights, gradients);
    }
    weights.weight.val().into_data().iter::<f64>().collect()
}

fn reference(settings: &OptimizerSettings) -> Vec<f64> {
    let s = settings;
    let one = |start: f64, curvature: f64| {
        let (mut w, mut m, mut v) = (start, 0.0, 0.0);
        for t in 1..=STEPS {
            let mut g = curvature * w;
            match s.name.as_str() {
                "sgd" | "momentum" | "nesterov" => {
                    g += s.weight_decay * w;
                    m = if t == 1 { g } else { s.momentum * m + g };
                    w -= s.lr
                        * match s.name.as_str() {
                            "sgd" => g,
                            "momentum" => m,
                            _ => g + s.momentum * m,
                        };
                }
                _ => {
                    match s.name.as_str() {
                        "adam" => g += s.weight_decay * w,
                        _ => w -= s.lr * s.weight_decay * w,
                    }
                    m = s.beta1 * m + (1.0 - s.beta1) * g;
                    v = s.beta2 * v + (1.0 - s.beta2) * g * g;
                    let m_hat = m / (1.0 - s.beta1.powi(t as i32));
                    let v_hat: f64 = v / (1.0 - s.beta2.powi(t as i32));
                    w -= s.lr * m_hat / (v_hat.sqrt() + s.epsilon);
                }
            }
        }
        w
    };
    START
        .into_iter()
        .zip(CURVATURE)
        .map(|(w, c)| one(w, c))
        .collect()
}

#[test]
fn every_optimizer_takes_pytorchs_steps() {
    for row in OPTIMIZERS {
        for weight_decay in [0.0, 0.1] {
            let settings = OptimizerSettings {
                lr: 0.05,
                weight_decay,
                ..row.defaults()
            };
            for (ours, theirs) in burn_steps(&settings).into_iter().zip(reference(&settings)) {
                // Burn keeps Adam's betas as f32: 1 - 0.999 is 1.3e-5 off.
                let tolerance = 5e-5 * theirs.abs().max(0.1);
                assert!(
                    (ours - theirs).abs() < tolerance,
                    "{} with decay {weight_decay}: {ours} instead of {theirs}",
                    row.name
                );
            }
        }
    }
}

#[test]
fn defaults_are_pytorchs() {
    let adamw = find_optimizer("AdamW").unwrap().defaults();
    assert_eq!((adamw.lr, adamw.beta1, adamw.beta2), (1e-3, 0.9, 0.999));
    assert_eq!((adamw.epsilon, adamw.weight_decay), (1e-8, 1e-2));
    assert_eq!(find_optimizer("adam").unwrap().defaults().weight_decay, 0.0);
    assert!(
        find_optimizer("adma")
            .err()
            .unwrap()
            .to_string()
            .contains("did you mean 'adam'?")
    );
}

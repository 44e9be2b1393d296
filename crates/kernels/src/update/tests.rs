//! The fused loops against Burn's operations, and where they write.

use super::*;
use burn::tensor::{Device, Distribution};

/// More than one chunk, and one that is not full.
const SHAPE: [usize; 2] = [301, 411];

fn random() -> Tensor<2> {
    Tensor::random(SHAPE, Distribution::Normal(0.0, 1.0), &Device::flex())
}

fn bits(tensor: Tensor<2>) -> Vec<u32> {
    let bits = |value: f32| if value == 0.0 { 0 } else { value.to_bits() };
    tensor.into_data().iter::<f32>().map(bits).collect()
}

#[test]
fn sgd_gives_the_bits_of_burns_operations() {
    for (momentum, nesterov) in [(None, false), (Some(0.9), false), (Some(0.9), true)] {
        for weight_decay in [0.0, 1e-2] {
            let step = SgdStep {
                lr: 0.1,
                momentum: momentum.unwrap_or_default(),
                nesterov,
                weight_decay,
            };
            let (w, g) = (random(), random());
            let v = momentum.map(|_| random());
            let (w1, v1) = sgd(w.clone(), g.clone(), v.clone(), step);
            let (w2, v2) = sgd_anywhere(w, g, v, step);
            assert_eq!(bits(w1), bits(w2), "{step:?}");
            assert_eq!(v1.map(bits), v2.map(bits), "{step:?}");
        }
    }
}

#[test]
fn adam_gives_the_bits_of_burns_operations() {
    for (decoupled, weight_decay) in [(false, 0.0), (false, 1e-2), (true, 1e-2)] {
        let step = AdamStep {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay,
            decoupled,
            time: 3,
        };
        let (w, g, moments) = (random(), random(), [random(), random().abs()]);
        let (w1, m1) = adam(w.clone(), g.clone(), moments.clone(), step);
        let (w2, m2) = adam_anywhere(w, g, moments, &step.scalars());
        assert_eq!(bits(w1), bits(w2), "{step:?}");
        assert_eq!(m1.map(bits), m2.map(bits), "{step:?}");
    }
}

#[test]
fn views_are_read_as_what_they_show_and_others_keep_their_numbers() {
    let step = SgdStep {
        lr: 0.5,
        momentum: 0.0,
        nesterov: false,
        weight_decay: 0.0,
    };
    let whole = random();
    let before = bits(whole.clone());
    let weights = || whole.clone().slice([1..3, 0..2]);
    let gradient = transposed;
    let expected = weights() - gradient() * 0.5;
    assert_eq!(
        bits(sgd(weights(), gradient(), None, step).0),
        bits(expected)
    );
    assert_eq!(bits(whole), before);
}

fn transposed() -> Tensor<2> {
    Tensor::from_data([[1.0, 2.0], [3.0, 4.0]], &Device::flex()).transpose()
}

#[test]
fn a_buffer_of_ones_own_is_updated_where_it_is() {
    let step = SgdStep {
        lr: 0.5,
        momentum: 0.9,
        nesterov: true,
        weight_decay: 0.0,
    };
    let (w, v) = (primitive(random()), primitive(random()));
    let places = [w.bytes().as_ptr(), v.bytes().as_ptr()];
    let (w, v) = sgd(tensor(w), random(), Some(tensor(v)), step);
    let v = v.expect("a velocity");
    let found = [w, v].map(|tensor: Tensor<2>| primitive(tensor).bytes().as_ptr());
    assert_eq!(found, places);
}

#[test]
fn what_is_changed_in_place_is_not_changed_for_others() {
    let (w, g) = (random(), random());
    let (kept, before) = (w.clone(), bits(w.clone()));
    let double = |w: Tensor<2>, g: Tensor<2>| w + g.mul_scalar(2.0);
    let expected = bits(double(w.clone(), g.clone()));
    let [w] = in_place(
        [w],
        g,
        |[w], g| w.iter_mut().zip(g).for_each(|(w, &g)| *w += g * 2.0),
        |_, _| panic!("flex works in place"),
    );
    assert_eq!(bits(w), expected);
    assert_eq!(bits(kept), before);
}

#[test]
fn other_numbers_than_float32_are_left_to_burns_operations() {
    let double = |tensor: Tensor<2>| tensor.cast(burn::tensor::FloatDType::F64);
    let [w] = in_place(
        [double(random())],
        double(random()),
        |_, _| panic!("these are no f32"),
        |[w], _| [w.zeros_like()],
    );
    assert!(w.into_data().iter::<f64>().all(|value| value == 0.0));
}

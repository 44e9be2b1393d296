//! Training on changed images, and evaluating with several views and runs.

use crate::runs::{request, run_in, store, weights};
use kiln_lab::{CheckpointName, EvalSplit, evaluate_ensemble, evaluate_run};

#[test]
fn augmented_training_is_as_repeatable_and_leaves_evaluation_alone() {
    let strong = |set: &[&str]| weights(&[&["data.augment=strong"], set].concat());
    let alone = strong(&["train.workers=0"]);
    assert_eq!(strong(&["train.workers=3"]), alone);
    assert_ne!(weights(&[]), alone);

    let parent = tempfile::tempdir().unwrap();
    let report = run_in(parent.path(), "mlp", &["data.augment=basic"]).unwrap();
    let evaluate = |batch_size| {
        let mut request = request(EvalSplit::Train, CheckpointName::Last);
        request.batch_size = batch_size;
        evaluate_run(&report.folder, &request, &store()).unwrap()
    };
    let (one, other) = (evaluate(64), evaluate(100));
    assert_eq!(one.confusion, other.confusion);
    assert_eq!(one.count, 256);
}

#[test]
fn views_and_members_count_together() {
    let parent = tempfile::tempdir().unwrap();
    let runs = ["train.seed=1", "train.seed=2"].map(|seed| {
        let report = run_in(parent.path(), "mlp", &[seed, "train.epochs=1"]).unwrap();
        report.folder
    });
    let mut request = request(EvalSplit::Val, CheckpointName::Best);
    let plain = evaluate_run(&runs[0], &request, &store()).unwrap();
    let same = [runs[0].clone(), runs[0].clone()];
    let twice = evaluate_ensemble(&same, &request, &store()).unwrap();
    assert_eq!(twice.confusion, plain.confusion);
    assert!((twice.loss - plain.loss).abs() < 1e-6);
    let both = evaluate_ensemble(&runs, &request, &store()).unwrap();
    assert_eq!(both.members[0], plain);
    assert_ne!(both.members[1].weights_sha256, plain.weights_sha256);
    let mean = (both.members[0].loss + both.members[1].loss) / 2.0;
    // The logarithm is concave.
    assert!(both.loss <= mean, "{} {mean}", both.loss);
    request.tta = 1;
    let shifted = evaluate_run(&runs[0], &request, &store()).unwrap();
    assert_ne!(shifted.loss, plain.loss);
    request.tta = 2;
    let again = evaluate_run(&runs[0], &request, &store()).unwrap();
    assert_eq!(again.loss, shifted.loss, "digits have no mirror images");
    request.tta = 3;
    let error = evaluate_run(&runs[0], &request, &store()).unwrap_err();
    assert!(error.to_string().contains("--tta is 3"), "{error}");
}

//! What a run promises, on the built-in digits.

use kiln_lab::{
    CheckpointName, Context, EvalRequest, EvalSplit, LabError, Layers, Report, RunFolder, Settings,
    Status, evaluate_run, list_runs, remove_run, resolve, save_report, train,
};
use kiln_store::Store;
use kiln_training::{EpochRecord, Stop};
use std::path::Path;

/// A short run: 256 training images of the digits, 8 steps an epoch.
const SHORT: [&str; 5] = [
    "data.dataset=digits",
    "data.limit_train=256",
    "data.limit_val=100",
    "train.batch_size=32",
    "train.epochs=2",
];

pub(crate) fn store() -> Store {
    Store::locate(Some(Path::new("/nonexistent")), true).unwrap()
}

fn context(parent: &Path, stop: Stop) -> Context {
    Context {
        stop,
        ..Context::new(store(), parent.to_owned())
    }
}

/// The settings of keys, as `train.epochs=2`, of which the later ones count.
pub(crate) fn resolved(set: &[&[&str]]) -> Result<Settings, LabError> {
    let set = set.concat().iter().map(ToString::to_string).collect();
    let layers = Layers {
        set,
        ..Layers::default()
    };
    Ok(resolve(&layers, &store())?.0)
}

pub(crate) fn run_in(parent: &Path, model: &str, set: &[&str]) -> Result<Report, LabError> {
    let model = format!("model.name={model}");
    let settings = resolved(&[&SHORT, set, &[&model]])?;
    train(&settings, context(parent, Stop::default()))
}

pub(crate) fn weights(set: &[&str]) -> String {
    let parent = tempfile::tempdir().unwrap();
    let report = run_in(parent.path(), "lenet", set).unwrap();
    report.manifest.weights_sha256.unwrap()
}

pub(crate) fn request(split: EvalSplit, checkpoint: CheckpointName) -> EvalRequest {
    EvalRequest {
        split,
        checkpoint,
        backend: None,
        batch_size: 64,
        tta: 0,
    }
}

#[test]
fn the_same_seed_gives_the_same_weights_with_any_number_of_workers() {
    let alone = weights(&["train.workers=0"]);
    for workers in 0..3 {
        assert_eq!(weights(&[&format!("train.workers={workers}")]), alone);
    }
    assert_ne!(weights(&["train.seed=2"]), alone);
}

#[test]
fn a_run_folder_holds_everything_and_evaluates() {
    let parent = tempfile::tempdir().unwrap();
    let report = run_in(parent.path(), "lenet", &[]).unwrap();
    let folder = &report.folder;
    for file in [
        "run.json",
        "config.toml",
        "metrics.csv",
        "log.txt",
        "model.safetensors",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    let table = std::fs::read_to_string(folder.path().join("metrics.csv")).unwrap();
    assert_eq!(table.lines().count(), 3);
    let manifest = RunFolder::open("latest", parent.path())
        .unwrap()
        .manifest()
        .unwrap();
    assert_eq!(manifest.settings, report.manifest.settings);
    assert_eq!(manifest.normalization, report.manifest.normalization);
    assert_eq!(
        manifest.started.timestamp(),
        report.manifest.started.timestamp()
    );
    assert_eq!(
        (manifest.status, manifest.train_images, manifest.val_images),
        (Status::Completed, 256, 100)
    );
    let result = manifest.result.unwrap();
    assert_eq!((result.steps, result.epochs), (16, 2));

    let val = evaluate_run(
        folder,
        &request(EvalSplit::Val, CheckpointName::Last),
        &store(),
    )
    .unwrap();
    let last: EpochRecord = result.last.unwrap();
    assert_eq!(val.count, 100);
    assert!((val.accuracy - last.val_accuracy.unwrap()).abs() < 1e-9);
    assert!((val.loss - last.val_loss.unwrap()).abs() < 1e-5);
    assert_eq!(val.weights_sha256, result.last_weights_sha256);
    let test = evaluate_run(
        folder,
        &request(EvalSplit::Test, CheckpointName::Best),
        &store(),
    )
    .unwrap();
    assert_eq!(test.count, 2000);
    assert_eq!(
        test.per_class
            .iter()
            .map(|class| class.count)
            .sum::<usize>(),
        2000
    );
    assert_eq!(Some(&test.weights_sha256), manifest.weights_sha256.as_ref());
    save_report(folder, &test).unwrap();
    assert!(folder.path().join("eval/test-best.json").is_file());
}

#[test]
fn the_configuration_of_a_run_repeats_it() {
    let parent = tempfile::tempdir().unwrap();
    let first = run_in(parent.path(), "mlp", &["optimizer.name=nesterov"]).unwrap();
    let layers = Layers {
        config: Some(first.folder.path().join("config.toml")),
        ..Layers::default()
    };
    let (settings, _) = resolve(&layers, &store()).unwrap();
    assert_eq!(settings, first.manifest.settings);
    let second = train(&settings, context(parent.path(), Stop::default())).unwrap();
    let hash = |report: Report| report.manifest.weights_sha256.unwrap();
    assert_eq!(hash(first), hash(second));
}

#[test]
fn without_validation_the_last_weights_are_the_result() {
    let parent = tempfile::tempdir().unwrap();
    let report = run_in(parent.path(), "mlp", &["data.val_split=0"]).unwrap();
    let result = report.manifest.result.unwrap();
    assert_eq!((report.manifest.val_images, result.best), (0, None));
    assert_eq!(
        report.manifest.weights_sha256.unwrap(),
        result.last_weights_sha256
    );
    let request = request(EvalSplit::Val, CheckpointName::Best);
    let error = evaluate_run(&report.folder, &request, &store()).unwrap_err();
    assert!(
        error.to_string().contains("no validation images"),
        "{error}"
    );
}

#[test]
fn a_stop_saves_a_checkpoint_and_says_so() {
    let parent = tempfile::tempdir().unwrap();
    let settings = resolved(&[&SHORT, &["model.name=mlp", "train.epochs=50"]]).unwrap();
    let stop = Stop::default();
    let mut context = context(parent.path(), stop.clone());
    context.reporter = Box::new(move |record| {
        if record.epoch == 3 {
            stop.request();
        }
        Ok(())
    });
    let report = train(&settings, context).unwrap();
    assert_eq!(report.manifest.status, Status::Interrupted);
    assert_eq!(report.manifest.result.unwrap().steps, 24);
    let last = request(EvalSplit::Test, CheckpointName::Last);
    assert_eq!(
        evaluate_run(&report.folder, &last, &store()).unwrap().step,
        24
    );
}

#[test]
fn a_stop_before_the_first_step_of_an_epoch_saves_too() {
    let parent = tempfile::tempdir().unwrap();
    let stop = Stop::default();
    stop.request();
    let settings = resolved(&[&SHORT, &["model.name=mlp"]]).unwrap();
    let report = train(&settings, context(parent.path(), stop)).unwrap();
    assert_eq!(report.manifest.status, Status::Interrupted);
    assert_eq!(report.manifest.result.unwrap().steps, 1);
}

#[test]
fn a_loss_that_is_no_number_ends_the_run() {
    let parent = tempfile::tempdir().unwrap();
    let set = ["optimizer.name=sgd", "optimizer.lr=1e30"];
    let error = run_in(parent.path(), "lenet", &set)
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("diverged at step 2 (epoch 1)") && error.contains("first in conv"),
        "{error}"
    );
    assert!(error.contains("lower learning rate"), "{error}");
    let manifest = RunFolder::open("latest", parent.path())
        .unwrap()
        .manifest()
        .unwrap();
    assert_eq!(manifest.status, Status::Failed);
    assert_eq!(manifest.error, Some(error));
}

#[test]
fn a_reporter_that_fails_ends_the_run() {
    let parent = tempfile::tempdir().unwrap();
    let settings = resolved(&[&SHORT, &["model.name=mlp"]]).unwrap();
    let mut context = context(parent.path(), Stop::default());
    context.reporter = Box::new(|_| Err("no space left for the table".into()));
    let error = train(&settings, context).err().unwrap();
    assert!(error.to_string().contains("no space left"), "{error}");
}

#[test]
fn a_small_set_is_learned_by_heart() {
    let parent = tempfile::tempdir().unwrap();
    let set = ["data.limit_train=32", "train.epochs=60"];
    for model in ["mlp", "lenet"] {
        let report = run_in(parent.path(), model, &set).unwrap();
        let last = report.manifest.result.unwrap().last.unwrap();
        assert!(last.train_loss < 0.05, "{model}: {}", last.train_loss);
        assert_eq!(last.train_accuracy, 1.0, "{model}");
    }
}

#[test]
fn two_thousand_digits_teach_lenet_something() {
    let parent = tempfile::tempdir().unwrap();
    let set = [
        "data.limit_train=2000",
        "data.limit_val=500",
        "train.epochs=4",
    ];
    let report = run_in(parent.path(), "lenet", &set).unwrap();
    let accuracy = report
        .manifest
        .result
        .unwrap()
        .best
        .unwrap()
        .val_accuracy
        .unwrap();
    assert!((0.75..0.985).contains(&accuracy), "{accuracy}");
}

#[test]
fn damaged_checkpoints_are_named() {
    let parent = tempfile::tempdir().unwrap();
    let lenet = run_in(parent.path(), "lenet", &[]).unwrap();
    let mlp = run_in(parent.path(), "mlp", &[]).unwrap();
    let file = |report: &Report| {
        let index = kiln_training::read_index(report.folder.path()).unwrap();
        report
            .folder
            .path()
            .join("checkpoints")
            .join(index.last)
            .join("model.bpk")
    };
    let original = std::fs::read(file(&lenet)).unwrap();
    let evaluate = || {
        let request = request(EvalSplit::Test, CheckpointName::Last);
        evaluate_run(&lenet.folder, &request, &store())
            .unwrap_err()
            .to_string()
    };
    std::fs::copy(file(&mlp), file(&lenet)).unwrap();
    assert!(evaluate().contains("another network"), "{}", evaluate());
    std::fs::write(file(&lenet), &original[..original.len() / 2]).unwrap();
    assert!(evaluate().contains("model.bpk"), "{}", evaluate());
    let mut flipped = original.clone();
    let at = flipped.len() - 9;
    flipped[at] ^= 0x40;
    std::fs::write(file(&lenet), flipped).unwrap();
    assert!(evaluate().contains("damaged"), "{}", evaluate());
    std::fs::remove_file(file(&lenet)).unwrap();
    assert!(evaluate().contains("model.bpk"), "{}", evaluate());
}

#[test]
fn runs_are_listed_removed_and_never_overwritten() {
    let parent = tempfile::tempdir().unwrap();
    assert!(list_runs(parent.path()).unwrap().is_empty());
    let names: Vec<_> = (0..3)
        .map(|_| {
            run_in(parent.path(), "mlp", &["train.epochs=1"])
                .unwrap()
                .folder
                .name()
        })
        .collect();
    let listed: Vec<_> = list_runs(parent.path())
        .unwrap()
        .into_iter()
        .map(|run| run.run)
        .collect();
    assert_eq!(listed, names);
    remove_run("latest", parent.path()).unwrap();
    assert_eq!(
        RunFolder::open("latest", parent.path()).unwrap().name(),
        names[1]
    );
    std::fs::create_dir(parent.path().join("holiday")).unwrap();
    let error = remove_run("holiday", parent.path())
        .unwrap_err()
        .to_string();
    assert!(error.contains("is no run folder"), "{error}");
}

#[test]
fn impossible_settings_are_usage_errors() {
    let parent = tempfile::tempdir().unwrap();
    for (set, words) in [
        ("train.batch_size=1000000", "only 256 training images"),
        ("train.batch_size=0", "at least 1"),
        ("data.limit_train=100000", "there are only 10000"),
        ("device.backend=gpu", "no backend 'gpu'"),
        ("data.dataset=minst", "did you mean 'mnist'"),
        ("train.workers=1000", "from 0 to 256"),
    ] {
        let error = run_in(parent.path(), "lenet", &[set]).err().unwrap();
        assert_eq!(error.fault, kiln_lab::Fault::Usage, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(list_runs(parent.path()).unwrap().is_empty());
}

#[test]
#[ignore = "slow: 2 min, trains LeNet on MNIST from KILN_DATA_DIR"]
fn the_recipe_takes_lenet_to_its_published_accuracy_on_mnist() {
    let parent = tempfile::tempdir().unwrap();
    let store = Store::locate(None, true).unwrap();
    let layers = Layers {
        flags: vec![
            ("model.name", "lenet".into()),
            ("data.dataset", "mnist".into()),
        ],
        ..Layers::default()
    };
    let (settings, _) = resolve(&layers, &store).unwrap();
    let report = train(
        &settings,
        Context {
            store: store.clone(),
            ..context(parent.path(), Stop::default())
        },
    );
    let request = request(EvalSplit::Test, CheckpointName::Best);
    let test = evaluate_run(&report.unwrap().folder, &request, &store).unwrap();
    assert!((0.988..0.994).contains(&test.accuracy), "{}", test.accuracy);
}

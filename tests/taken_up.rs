//! Runs whose process ended after its last checkpoint and before its result,
//! or whose checkpoints were damaged since.

use crate::runs::{resolved, store};
use kiln_lab::{Context, Fault, LabError, Report, RunFolder, Settings, Status, resume, train};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Steps so small that no epoch is better than the first.
const STANDING: [&str; 10] = [
    "model.name=softmax",
    "data.dataset=digits:300",
    "data.limit_train=96",
    "data.limit_val=50",
    "train.batch_size=32",
    "train.epochs=4",
    "optimizer.name=sgd",
    "optimizer.lr=1e-30",
    "schedule.name=constant",
    "schedule.warmup_epochs=0",
];

fn trained(parent: &Path, set: &[&str]) -> (Settings, Report) {
    let settings = resolved(&[&STANDING, set]).unwrap();
    let report = train(&settings, Context::new(store(), parent.to_owned())).unwrap();
    (settings, report)
}

/// Takes the run up as if it had been killed before it wrote its result.
fn taken_up(settings: &Settings, folder: &RunFolder) -> Result<Report, LabError> {
    let file = folder.path().join("run.json");
    let mut manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    manifest["status"] = "running".into();
    manifest["result"] = serde_json::Value::Null;
    manifest["weights_sha256"] = serde_json::Value::Null;
    fs::write(&file, manifest.to_string()).unwrap();
    let context = Context::new(store(), folder.path().parent().unwrap().to_owned());
    resume(folder.clone(), settings.clone(), context)
}

fn checkpoint(folder: &RunFolder, name: &str) -> PathBuf {
    folder.path().join("checkpoints").join(name)
}

#[test]
fn early_stopping_is_not_forgotten() {
    let parent = tempfile::tempdir().unwrap();
    let (settings, whole) = trained(parent.path(), &["early_stop.patience=1"]);
    let before = whole.manifest.result.unwrap();
    assert_eq!(before.epochs, 2);
    assert!(before.early_stop.is_some());
    let after = taken_up(&settings, &whole.folder).unwrap().manifest;
    assert_eq!(after.status, Status::Completed);
    let after = after.result.unwrap();
    assert_eq!((after.epochs, after.steps), (before.epochs, before.steps));
    assert_eq!(after.early_stop, before.early_stop);
    assert_eq!(after.last_weights_sha256, before.last_weights_sha256);

    let mut more = settings.clone();
    more.train.epochs = 9;
    let context = Context::new(store(), parent.path().to_owned());
    let error = resume(whole.folder, more, context).err().unwrap();
    assert_eq!(error.fault, Fault::Usage);
    assert!(error.to_string().contains("ended early"), "{error}");
}

#[test]
fn the_best_weights_outlive_a_damaged_index() {
    let parent = tempfile::tempdir().unwrap();
    let (settings, whole) = trained(parent.path(), &[]);
    let index = kiln_training::read_index(whole.folder.path()).unwrap();
    assert_eq!(index.best.as_deref(), Some("step-00000003"));
    fs::write(checkpoint(&whole.folder, "index.json"), "{").unwrap();
    let again = taken_up(&settings, &whole.folder).unwrap();
    let found = kiln_training::read_index(whole.folder.path()).unwrap();
    assert_eq!(found, index);
    let (again, whole_run) = (again.manifest, &whole.manifest);
    assert_eq!(again.weights_sha256, whole_run.weights_sha256);
    let best = again.result.unwrap().best.unwrap();
    assert_eq!(best.epoch, 1);
}

#[test]
fn the_best_weights_before_a_damaged_checkpoint_are_kept() {
    let parent = tempfile::tempdir().unwrap();
    let learning = [
        "optimizer.lr=0.02",
        "train.epochs=2",
        "train.checkpoint_every=\"2\"",
    ];
    let (settings, whole) = trained(parent.path(), &learning);
    let index = kiln_training::read_index(whole.folder.path()).unwrap();
    // Best after each of the two epochs of 3 steps, and saved between them.
    let newest = "step-00000006";
    assert_eq!(
        (index.last.as_str(), index.best.as_deref()),
        (newest, Some(newest))
    );
    assert_eq!(index.previous.as_deref(), Some("step-00000005"));
    assert_eq!(index.best_before.as_deref(), Some("step-00000003"));
    fs::write(checkpoint(&whole.folder, newest).join("optimizer.bpk"), "").unwrap();
    let again = taken_up(&settings, &whole.folder).unwrap().manifest;
    assert_eq!(again.resumed, [5]);
    assert_eq!(again.weights_sha256, whole.manifest.weights_sha256);
}

#[test]
fn a_folder_that_was_to_be_replaced_comes_back() {
    let parent = tempfile::tempdir().unwrap();
    let (settings, whole) = trained(parent.path(), &[]);
    let folder = |name: &str| checkpoint(&whole.folder, name);
    let last = "step-00000012";
    // Killed before the new folder had its name, and after it had.
    let replaced = format!("{last}.replaced");
    fs::rename(folder(last), folder(&replaced)).unwrap();
    fs::create_dir(folder("step-00000009.replaced")).unwrap();
    let again = taken_up(&settings, &whole.folder).unwrap().manifest;
    assert_eq!(again.resumed, [12]);
    assert_eq!(again.weights_sha256, whole.manifest.weights_sha256);
    assert!(folder(last).is_dir() && folder("step-00000009").is_dir());
    assert!(!folder(&replaced).exists() && !folder("step-00000009.replaced").exists());
}

#[test]
fn damaged_best_weights_and_a_damaged_state_are_named() {
    let parent = tempfile::tempdir().unwrap();
    let (settings, whole) = trained(parent.path(), &[]);
    let model = checkpoint(&whole.folder, "step-00000003/model.bpk");
    let bytes = fs::read(&model).unwrap();
    fs::write(&model, &bytes[1..]).unwrap();
    let error = taken_up(&settings, &whole.folder).err().unwrap();
    let said = error.to_string();
    assert!(
        said.contains("it has the best weights so far") && said.contains("model.bpk"),
        "{said}"
    );
    fs::write(&model, bytes).unwrap();

    // Another number in the last state: the checkpoint before it is taken.
    let last = checkpoint(&whole.folder, "step-00000012/state.json");
    let state = fs::read_to_string(&last).unwrap();
    fs::write(&last, state.replace("\"batch\": 0", "\"batch\": 1")).unwrap();
    let again = taken_up(&settings, &whole.folder).unwrap().manifest;
    assert_eq!(again.resumed.last(), Some(&9));
    assert_eq!(again.result.unwrap().epochs, 4);

    // Both that are left.
    for step in ["step-00000009", "step-00000012", "step-00000003"] {
        fs::write(checkpoint(&whole.folder, step).join("state.json"), "{").unwrap();
    }
    let error = taken_up(&settings, &whole.folder).err().unwrap();
    assert_eq!(error.fault, Fault::Data, "{error}");
}

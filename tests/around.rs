//! Several runs at once: groups with seeds, ensembles' members, sweeps, and
//! training on a few batches.

use crate::runs::{resolved, run_in, store};
use kiln_lab::{
    Context, Group, GroupKind, GroupReport, LabError, RunFolder, Settings, Stops, SweepPlan,
    SweepReport, TensorBoard, compare,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

const SHORT: [&str; 7] = [
    "model.name=mlp",
    "model.hidden=[16]",
    "data.dataset=digits",
    "data.limit_train=96",
    "data.limit_val=50",
    "train.batch_size=32",
    "train.epochs=2",
];

fn settings(set: &[&str]) -> Settings {
    resolved(&[&SHORT, set]).unwrap()
}

fn context(parent: &Path, name: String, stops: &Stops) -> Context {
    Context {
        name: Some(name),
        stop: stops.next(),
        ..Context::new(store(), parent.to_owned())
    }
}

/// Trains a group; also gives which seeds were done before.
fn group(
    kind: GroupKind,
    settings: &Settings,
    count: u64,
    (parent, name, stops): (&Path, Option<&str>, &Stops),
) -> Result<(GroupReport, Vec<bool>), LabError> {
    let mut before = Vec::new();
    let report = Group::open(kind, settings.clone(), count, (parent, name))?.train(
        |word| context(parent, word, stops),
        |_, done| before.push(done),
    )?;
    Ok((report, before))
}

#[test]
fn completed_seeds_count_when_more_are_asked_for() {
    let parent = tempfile::tempdir().unwrap();
    let place = (parent.path(), None, &Stops::default());
    let (first, before) = group(GroupKind::Seeds, &settings(&[]), 2, place).unwrap();
    assert_eq!(before, [false, false]);
    let seeds: Vec<_> = first.runs.iter().map(|run| run.seed).collect();
    assert_eq!(seeds, [1, 2]);
    assert_ne!(first.runs[0].weights_sha256, first.runs[1].weights_sha256);
    let accuracies: Vec<_> = first
        .runs
        .iter()
        .map(|run| run.val_accuracy.unwrap())
        .collect();
    let spread = first.val_accuracy.unwrap();
    assert!((spread.mean - (accuracies[0] + accuracies[1]) / 2.0).abs() < 1e-12);
    let std = (accuracies[0] - accuracies[1]).abs() / 2f64.sqrt();
    assert!((spread.std.unwrap() - std).abs() < 1e-12);

    // A folder that was removed does not count any more.
    fs::remove_dir_all(parent.path().join(&first.runs[0].run)).unwrap();
    let (second, before) = group(GroupKind::Seeds, &settings(&[]), 3, place).unwrap();
    assert_eq!(before, [false, true, false]);
    assert_eq!(second.runs[0].weights_sha256, first.runs[0].weights_sha256);
    assert_eq!(second.file, first.file);
    let file: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&second.file).unwrap()).unwrap();
    assert_eq!(file["runs"].as_array().unwrap().len(), 3);
    let written = file["val_accuracy"]["mean"].as_f64().unwrap();
    assert!((written - second.val_accuracy.unwrap().mean).abs() < 1e-12);
}

#[test]
fn a_named_group_refuses_other_settings_and_says_which() {
    let parent = tempfile::tempdir().unwrap();
    let place = (parent.path(), Some("mine"), &Stops::default());
    group(GroupKind::Seeds, &settings(&[]), 1, place).unwrap();
    let other = settings(&["train.epochs=3"]);
    let error = group(GroupKind::Seeds, &other, 1, place).err().unwrap();
    let text = error.to_string();
    assert!(
        text.contains("train.epochs is 2 there and 3 here"),
        "{text}"
    );
    let last = settings(&["train.seed=9223372036854775807"]);
    let error = group(GroupKind::Seeds, &last, 2, place).err().unwrap();
    assert!(error.to_string().contains("smaller"), "{error}");
}

#[test]
fn an_interrupted_group_keeps_what_is_done() {
    let parent = tempfile::tempdir().unwrap();
    let stops = Stops::default();
    let place = (parent.path(), None, &stops);
    group(GroupKind::Seeds, &settings(&[]), 1, place).unwrap();
    stops.request();
    let (report, before) = group(GroupKind::Seeds, &settings(&[]), 3, place).unwrap();
    assert!(report.interrupted);
    assert_eq!((before.as_slice(), report.runs.len()), (&[true][..], 1));
}

#[test]
fn members_learn_from_samples_of_their_own() {
    let parent = tempfile::tempdir().unwrap();
    let place = (parent.path(), None, &Stops::default());
    let (report, _) = group(GroupKind::Members, &settings(&[]), 2, place).unwrap();
    let manifest = |run: &str| {
        let folder = RunFolder::open(run, parent.path()).unwrap();
        folder.manifest().unwrap()
    };
    for run in &report.runs {
        assert!(manifest(&run.run).settings.data.bootstrap);
        assert_eq!(manifest(&run.run).train_images, 96);
    }
    // The same seed without the sample learns something else.
    let plain = run_in(
        parent.path(),
        "mlp",
        &[
            "model.hidden=[16]",
            "data.limit_train=96",
            "data.limit_val=50",
        ],
    )
    .unwrap();
    let weights = plain.manifest.weights_sha256.unwrap();
    assert!(report.runs.iter().all(|run| run.weights_sha256 != weights));
}

#[test]
fn a_few_batches_are_learned_by_heart_and_validated() {
    let parent = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let set = [&["train.overfit_batches=1", "train.epochs=60"], more].concat();
        run_in(parent.path(), "lenet", &set)
    };
    let manifest = run(&[]).unwrap().manifest;
    assert_eq!((manifest.train_images, manifest.val_images), (32, 32));
    let last = manifest.result.unwrap().last.unwrap();
    assert_eq!(last.val_accuracy, Some(1.0));
    assert!(last.train_loss < 0.05, "{}", last.train_loss);
    // 256 images make 8 batches of 32.
    let error = run(&["train.overfit_batches=9"]).err().unwrap();
    assert!(error.to_string().contains("only 8 batches"), "{error}");
}

#[test]
fn runs_on_other_images_are_no_fair_comparison() {
    let parent = tempfile::tempdir().unwrap();
    let run = |set: &[&str]| run_in(parent.path(), "mlp", set).unwrap().folder;
    let base = run(&["model.hidden=[16]"]);
    let same = run(&["model.hidden=[8]"]);
    let comparison = compare(&[base.clone(), same]).unwrap();
    let keys: Vec<_> = comparison.settings.iter().map(|d| d.key.as_str()).collect();
    assert_eq!(keys, ["model.hidden"]);
    assert_eq!(comparison.unfair, Vec::<String>::new());
    let other = run(&["data.split_seed=2", "train.seed=2", "train.epochs=1"]);
    let text = compare(&[base.clone(), other]).unwrap().unfair.join("\n");
    for word in ["validation images differ", "seeds differ", "epochs"] {
        assert!(text.contains(word), "{text}");
    }
    assert!(compare(&[base]).is_err());
}

fn sweep_file(folder: &Path, text: &str) -> PathBuf {
    let base = "[base]\nmodel.name = 'mlp'\nmodel.hidden = [16]\ndataset = 'digits'\ndata.limit_train = 96\ndata.limit_val = 50\ntrain.batch_size = 32\ntrain.epochs = 2\n";
    let file = folder.join("lr.toml");
    fs::write(&file, format!("{text}\n{base}")).unwrap();
    file
}

fn sweep(file: &Path, parent: &Path, stops: &Stops) -> Result<(SweepReport, usize), LabError> {
    let mut trained = 0;
    let (mut sweep, _) = SweepPlan::read(file)?.open(&store(), parent)?;
    let report = sweep.run(|word| context(parent, word, stops), |_| trained += 1)?;
    Ok((report, trained))
}

#[test]
fn a_sweep_ranks_its_grid_and_trains_nothing_twice() {
    let parent = tempfile::tempdir().unwrap();
    // The largest rate makes the loss infinite or NaN, which only it suffers from.
    let text = "seeds = 2\n[grid]\noptimizer.lr = [1e-5, 0.01, 1e30]";
    let file = sweep_file(parent.path(), text);
    let (report, trained) = sweep(&file, parent.path(), &Stops::default()).unwrap();
    assert_eq!((trained, report.rows.len()), (6, 3));
    assert_eq!(report.keys, ["optimizer.lr"]);
    let ranks: Vec<_> = report.rows.iter().map(|row| row.candidate).collect();
    assert_eq!(ranks, [2, 1, 3]);
    let accuracies = report.rows[..2].iter().map(|row| row.val_accuracy.unwrap());
    let means: Vec<_> = accuracies.map(|spread| spread.mean).collect();
    assert!(means[0] > means[1], "{means:?}");
    assert!(report.rows[2].error.as_ref().unwrap().contains("diverged"));
    let table = fs::read_to_string(&report.table).unwrap();
    assert_eq!(table.lines().count(), 4);

    let (again, trained) = sweep(&file, parent.path(), &Stops::default()).unwrap();
    assert_eq!(trained, 0);
    assert_eq!(fs::read_to_string(&again.table).unwrap(), table);
    sweep_file(parent.path(), &text.replace("0.01", "0.02"));
    let error = sweep(&file, parent.path(), &Stops::default())
        .err()
        .unwrap();
    assert!(error.to_string().contains("has changed"), "{error}");
}

#[test]
fn an_interrupted_sweep_goes_on() {
    let parent = tempfile::tempdir().unwrap();
    let file = sweep_file(parent.path(), "[grid]\noptimizer.lr = [0.001, 0.01]");
    let stops = Stops::default();
    stops.request();
    let (report, trained) = sweep(&file, parent.path(), &stops).unwrap();
    assert_eq!((report.interrupted, trained), (true, 0));
    let (report, trained) = sweep(&file, parent.path(), &Stops::default()).unwrap();
    assert_eq!((report.interrupted, trained), (false, 2));
}

#[test]
fn halving_gives_the_better_half_more_epochs() {
    let parent = tempfile::tempdir().unwrap();
    let text = "[random]\ncount = 4\noptimizer.lr = { log-uniform = [1e-5, 1e-1] }\n[halving]\neta = 2\nmin_epochs = 1\nmax_epochs = 4";
    let file = sweep_file(parent.path(), text);
    let (report, trained) = sweep(&file, parent.path(), &Stops::default()).unwrap();
    assert_eq!(trained, 4 + 2 + 1);
    let epochs: Vec<_> = report.rows.iter().map(|row| row.epochs).collect();
    assert_eq!(epochs, [4, 2, 1, 1]);
}

#[test]
fn a_sweep_is_refused_before_its_first_run() {
    let parent = tempfile::tempdir().unwrap();
    for (text, word) in [
        ("[grid]\noptimizer.lrr = [1]", "lr.toml: optimizer.lrr=1"),
        ("[grid]\noptimizer.lr = [0.1, -1]", "above 0"),
        ("[grid]\nmodel.name = ['mlp', 'lenett']", "lenet"),
        (
            "[grid]\noptimizer.lr = [1]\n[halving]\nmin_epochs = 1\nmax_epochs = 4\n[base.schedule]\nwarmup_epochs = 2",
            "warmup_epochs",
        ),
        (
            "[grid]\noptimizer.lr = [1]\n[base.data]\nval_split = 0",
            "data.val_split is 0",
        ),
    ] {
        let file = parent.path().join("lr.toml");
        let base = "\n[base]\nmodel = 'mlp'\ndataset = 'digits'\n";
        fs::write(&file, format!("{text}{base}")).unwrap();
        let error = sweep(&file, parent.path(), &Stops::default())
            .err()
            .unwrap();
        assert!(error.to_string().contains(word), "{text}: {error}");
        assert!(!parent.path().join("lr").exists(), "{text}");
    }
    fs::create_dir(parent.path().join("lr")).unwrap();
    fs::write(parent.path().join("lr/mine.txt"), "").unwrap();
    let file = sweep_file(parent.path(), "[grid]\noptimizer.lr = [1]");
    let error = sweep(&file, parent.path(), &Stops::default())
        .err()
        .unwrap();
    assert!(error.to_string().contains("holds no sweep"), "{error}");
}

/// The same with TensorBoard itself is `tests/event_files.py`.
#[test]
fn a_run_that_goes_on_has_one_event_file_with_every_epoch() {
    let parent = tempfile::tempdir().unwrap();
    let report = run_in(parent.path(), "lenet", &[]).unwrap();
    let record = report.manifest.result.unwrap().last.unwrap();
    let folder = report.folder.path();
    let files = || {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .flatten()
            .filter(|file| file.file_name().to_string_lossy().contains("tfevents"))
            .map(|file| (file.path(), fs::read(file.path()).unwrap()))
            .collect();
        files.sort();
        files
    };
    let mut board = TensorBoard::create(folder, &[]).unwrap();
    board.epoch(&record).unwrap();
    let first = files();
    let known = [record.clone()];
    let mut board = TensorBoard::create(folder, &known).unwrap();
    let second = files();
    // The known epoch stands in the new file as in the old one.
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(first[0].1.len(), second[0].1.len());
    board.epoch(&record).unwrap();
    assert!(files()[0].1.len() > second[0].1.len());
}

//! Trainings that are killed or interrupted and taken up again.

use super::{kiln, refuses, stderr, stdout};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A training in which everything that has a state takes part.
const EVERYTHING: [&str; 37] = [
    "train",
    "--dataset",
    "digits",
    "--limit-train",
    "900",
    "--limit-val",
    "100",
    "--batch-size",
    "50",
    "--ema-decay",
    "0.95",
    "--l1",
    "1e-4",
    "--clip-grad",
    "1",
    "--weight-decay",
    "1e-4",
    "--label-smoothing",
    "0.1",
    "--dropout",
    "0.2",
    "--early-stop",
    "50",
    "--set",
    "regularization.max_norm=3",
    "--accumulate",
    "2",
    "--augment",
    "strong",
    "--mixup",
    "0.2",
    "--cutmix",
    "1",
    "--set",
    "regularization.input_noise=0.1",
    "--set",
    "regularization.parity=0.3",
];

fn everything<'a>(model: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = EVERYTHING.to_vec();
    arguments.insert(1, model);
    arguments.extend(more);
    arguments
}

/// A run folder.
struct Run(PathBuf);

impl Run {
    fn latest(folder: &Path) -> Self {
        Self(fs::canonicalize(folder.join("runs/latest")).unwrap())
    }

    fn manifest(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.0.join("run.json")).unwrap()).unwrap()
    }

    /// SHA-256 of the best and of the last weights.
    fn hashes(&self) -> [String; 2] {
        let manifest = self.manifest();
        let text = |value: &serde_json::Value| value.as_str().expect("a hash").to_owned();
        [
            text(&manifest["weights_sha256"]),
            text(&manifest["result"]["last_weights_sha256"]),
        ]
    }

    /// Every column of the metrics but those about time and memory.
    fn metrics(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.join("metrics.csv")).unwrap();
        let line = |line: &str| line.split(',').take(12).collect::<Vec<_>>().join(",");
        text.lines().map(line).collect()
    }
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.args(arguments).current_dir(folder);
    command.env("KILN_DATA_DIR", folder.join("data"));
    command
        .env_remove("KILN_RUNS_DIR")
        .env_remove("BURN_DEVICE");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Lets the program run for this long at most; whether it ended by itself.
fn killed_after(mut child: Child, time: Duration) -> bool {
    let until = Instant::now() + time;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return true;
        }
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

/// Waits until there is another latest run than `before`.
fn begun(folder: &Path, before: &Run) -> Run {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let run = Run::latest(folder);
        if run.0 != before.0 {
            return run;
        }
        assert!(Instant::now() < until, "no training begins");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A number from 0 to below 1, different for each `at`.
fn spread(at: usize) -> f64 {
    (at as f64 * 0.618_033_988_75).fract()
}

/// Trains once without and then with `kills` kills, at instants spread over
/// the beginning, the steps, the checkpoints and the end, and compares.
#[allow(clippy::print_stdout)]
fn survives(model: &str, epochs: &str, kills: usize) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let began = Instant::now();
    let output = kiln(folder, &everything(model, &["--epochs", epochs]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let longest = began.elapsed().as_secs_f64();
    let whole = Run::latest(folder);
    let (hashes, metrics) = (whole.hashes(), whole.metrics());

    let every = ["--epochs", epochs, "--checkpoint-every", "2"];
    let (mut done, mut trainings) = (0, 0);
    while done < kills {
        trainings += 1;
        let before = Run::latest(folder);
        let child = start(folder, &everything(model, &every));
        let run = begun(folder, &before);
        let time = |at| Duration::from_secs_f64(longest * 0.5 * spread(at));
        let mut ended = killed_after(child, time(done));
        done += usize::from(!ended);
        while !ended && done < kills {
            let workers = ["0", "1", "2"][done % 3];
            let arguments = ["train", "--resume", "latest", "--workers", workers];
            ended = killed_after(start(folder, &arguments), time(done));
            done += usize::from(!ended);
        }
        let last = kiln(folder, &["train", "--resume", "latest", "--threads", "1"]);
        assert_eq!(last.status.code(), Some(0), "{}", stderr(&last));
        assert_eq!(run.hashes(), hashes, "after {done} kills");
        assert_eq!(run.metrics(), metrics, "after {done} kills");
    }
    println!("{model}: {done} kills in {trainings} trainings, all weights equal");
}

#[test]
fn a_killed_training_goes_on_bit_for_bit() {
    survives("mlp", "3", 6);
}

#[test]
#[ignore = "slow: 100 kills of a LeNet with every regularizer"]
fn a_hundred_kills_change_no_bit_of_a_lenet() {
    survives("lenet", "8", 100);
}

#[test]
#[ignore = "slow: 30 kills of a ResNet with batch norm"]
fn kills_change_no_running_statistic() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let arguments = |more: &[&'static str]| {
        let mut all = vec![
            "train",
            "resnet20",
            "--dataset",
            "shapes",
            "--limit-train",
            "400",
        ];
        all.extend(["--limit-val", "50", "--epochs", "2", "--ema-decay", "0.9"]);
        all.extend([
            "--optimizer",
            "momentum",
            "--lr",
            "0.05",
            "--batch-size",
            "50",
        ]);
        all.extend(more);
        all
    };
    let whole = kiln(folder, &arguments(&[]));
    assert_eq!(whole.status.code(), Some(0), "{}", stderr(&whole));
    let hashes = Run::latest(folder).hashes();
    for at in 0..30 {
        let time = Duration::from_secs_f64(2.0 * spread(at));
        let before = Run::latest(folder);
        let child = start(folder, &arguments(&["--checkpoint-every", "1"]));
        begun(folder, &before);
        killed_after(child, time);
        let done = kiln(folder, &["train", "--resume", "latest"]);
        assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
        assert_eq!(Run::latest(folder).hashes(), hashes, "kill {at}");
    }
}

#[test]
fn a_finished_run_says_so_and_more_epochs_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let trained = kiln(folder, &everything("mlp", &["--epochs", "1"]));
    assert_eq!(trained.status.code(), Some(0), "{}", stderr(&trained));
    let again = kiln(folder, &["train", "--resume", "latest"]);
    assert_eq!(again.status.code(), Some(0));
    assert!(
        stderr(&again).contains("is done already"),
        "{}",
        stderr(&again)
    );
    assert_eq!(stdout(&again), "");
    let longer = kiln(folder, &["train", "--resume", "latest", "--epochs", "3"]);
    assert_eq!(longer.status.code(), Some(0), "{}", stderr(&longer));
    assert_eq!(stdout(&longer).lines().count(), 2, "{}", stdout(&longer));
    let runs = fs::read_dir(folder.join("runs")).unwrap().count();
    assert_eq!(runs, 2, "one run and latest");
}

#[test]
fn resuming_refuses_what_contradicts_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let resume = ["train", "--resume", "latest"];
    refuses(folder, &resume, 2, &["there is no run 'latest'"]);
    let trained = kiln(folder, &everything("mlp", &["--epochs", "2"]));
    assert_eq!(trained.status.code(), Some(0), "{}", stderr(&trained));
    let with = |more: &[&'static str]| [&resume[..], more].concat();
    refuses(
        folder,
        &with(&["--lr", "0.5"]),
        2,
        &["optimizer.lr", "0.5", "leave that out"],
    );
    refuses(folder, &with(&["--seed", "2"]), 2, &["train.seed 1, not 2"]);
    refuses(
        folder,
        &with(&["--epochs", "1"]),
        2,
        &["has done 2 already"],
    );
    refuses(
        folder,
        &["train", "lenet", "--resume", "latest"],
        2,
        &["model.name", "mlp"],
    );
    let same = kiln(
        folder,
        &["train", "MLP", "--resume", "latest", "--seed", "1"],
    );
    assert_eq!(same.status.code(), Some(0), "{}", stderr(&same));
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let trained = kiln(folder, &everything("mlp", &["--epochs", "3"]));
    assert_eq!(trained.status.code(), Some(0), "{}", stderr(&trained));
    let run = Run::latest(folder);
    let hashes = run.hashes();
    let mut steps: Vec<PathBuf> = fs::read_dir(run.0.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    steps.sort();
    // The run has not said that it is done: it was killed at its end.
    let manifest = fs::read_to_string(run.0.join("run.json")).unwrap();
    let running = manifest.replace("\"completed\"", "\"running\"");
    fs::write(run.0.join("run.json"), &running).unwrap();
    let file = steps.last().unwrap().join("optimizer.bpk");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let resumed = kiln(folder, &["train", "--resume", "latest"]);
    let said = stderr(&resumed);
    assert_eq!(resumed.status.code(), Some(0), "{said}");
    assert!(
        said.contains("is damaged") && said.contains("optimizer.bpk"),
        "{said}"
    );
    assert_eq!(run.hashes(), hashes);

    fs::write(run.0.join("run.json"), &running).unwrap();
    for step in fs::read_dir(run.0.join("checkpoints")).unwrap() {
        let state = step.unwrap().path().join("state.json");
        if state.is_file() {
            fs::write(state, "{").unwrap();
        }
    }
    refuses(
        folder,
        &["train", "--resume", "latest"],
        3,
        &["is damaged", "train again"],
    );
}

#[test]
fn a_run_that_is_being_trained_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut child = start(folder, &everything("mlp", &["--epochs", "100000"]));
    let until = Instant::now() + Duration::from_secs(60);
    while !folder.join("runs/latest/checkpoints/index.json").is_file() && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    let busy = kiln(folder, &["train", "--resume", "latest"]);
    let said = stderr(&busy);
    assert_eq!(busy.status.code(), Some(1), "{said}");
    assert!(
        said.contains("is being trained by another process"),
        "{said}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

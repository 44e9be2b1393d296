//! Comparisons that would say nothing are refused before anything is trained.

use crate::runs::store;
use kiln_lab::{Comparison, Context, Equal, LabError, Search, Stops};
use std::path::Path;

/// An MLP and a LeNet on the digits, which differ by `axis`.
fn comparison(axis: &[&'static str]) -> Comparison {
    Comparison::new("pair", "A pair", axis).share([
        "data.dataset=digits:300",
        "data.limit_train=100",
        "data.limit_val=50",
        "train.epochs=1",
        "train.batch_size=50",
    ])
}

fn refused(comparison: Comparison) -> String {
    let folder = tempfile::tempdir().unwrap();
    let opened = comparison.open(folder.path().to_owned(), &store());
    let error = opened.err().expect("it is refused");
    assert_eq!(error.fault, kiln_lab::Fault::Usage, "{error}");
    error.to_string()
}

#[test]
fn what_must_be_common_to_all_arms_cannot_be_on_the_axis() {
    for common in [
        "data",
        "data.dataset",
        "data.limit_train",
        "data.val_split",
        "data.split_seed",
        "train",
        "train.epochs",
        "train.batch_size",
        "train.seed",
        "early_stop.patience",
        "device.backend",
    ] {
        let said = refused(comparison(&["model", common]));
        let words = format!("its arms may change {common}, but");
        assert!(said.contains(&words), "{common}: {said}");
    }
}

#[test]
fn arms_change_what_is_on_the_axis_alone() {
    let other = comparison(&["model"])
        .arm("MLP", "model.name=mlp")
        .arm("CNN", "model.name=lenet optimizer.lr=0.1");
    let said = refused(other);
    assert!(
        said.contains("the arm CNN sets optimizer.lr, which is not on its axis (model)"),
        "{said}"
    );
    let said = refused(comparison(&["model"]).searched_arm("MLP", "", "optimizer.lr"));
    assert!(said.contains("the arm MLP sets optimizer.lr"), "{said}");
    let twice = comparison(&["model"])
        .arm("MLP", "model.name=mlp")
        .arm("MLP", "model.name=softmax");
    let said = refused(twice);
    assert!(said.contains("two arms are called MLP"), "{said}");
}

#[test]
fn what_is_to_be_equal_is_counted() {
    let pair = |hidden: &str, equal| {
        let mut pair = comparison(&["model"])
            .arm("MLP", &format!("model.name=mlp model.hidden=[{hidden}]"))
            .arm("LeNet", "model.name=lenet");
        pair.equal = equal;
        pair
    };
    let said = refused(pair("10", Equal::Parameters(0.05)));
    assert!(
        said.contains("parameters and LeNet has 61706, more than 5 % apart"),
        "{said}"
    );
    let said = refused(pair("10", Equal::MultiplyAccumulates(0.05)));
    assert!(
        said.contains("multiply-accumulates and LeNet has 416520"),
        "{said}"
    );
    // 784 h + h + 10 h + 10 is nearest to LeNet's 61,706 with h = 78.
    let folder = tempfile::tempdir().unwrap();
    let open = pair("78", Equal::Parameters(0.05)).open(folder.path().to_owned(), &store());
    let names: Vec<_> = open
        .unwrap()
        .arms()
        .iter()
        .map(|arm| arm.name.clone())
        .collect();
    assert_eq!(names, ["MLP", "LeNet"]);
}

/// Runs what is missing; also gives how many trainings began.
fn run(folder: &Path) -> Result<usize, LabError> {
    let mut pair = comparison(&["optimizer"])
        .share(["model.name=softmax", "schedule.name=constant"])
        .arm("sane", "optimizer.lr=0.001")
        .searched_arm(
            "searched",
            "optimizer.name=sgd optimizer.lr=1",
            "optimizer.lr",
        )
        .arm("exploding", "optimizer.name=sgd optimizer.lr=1e38");
    pair.search = Some(Search {
        factors: vec![0.1, 1e38],
        epochs: 1,
    });
    let stops = Stops::default();
    let mut context = |word| Context {
        name: Some(word),
        stop: stops.next(),
        ..Context::new(store(), Default::default())
    };
    let result = pair
        .open(folder.to_owned(), &store())?
        .run(&mut context, &mut |_| ())?
        .expect("nobody interrupts it");
    let arm = |name: &str| result.arm(name).expect("an arm");
    assert!(arm("sane").outcomes[0].diverged.is_none());
    let cause = arm("exploding").outcomes[0].diverged.as_deref();
    assert!(
        cause.is_some_and(|cause| cause.contains("diverged at step")),
        "{cause:?}"
    );
    let tries = &arm("searched").arm.tries;
    assert_eq!(tries[0].images, 100);
    assert_eq!((tries[1].val_accuracy, tries[1].images), (None, 0));
    Ok(kiln_lab::list_runs(folder)?.len())
}

#[test]
fn trainings_that_diverged_are_done_once_like_the_others() {
    let folder = tempfile::tempdir().unwrap();
    // Two tries, and a training for each arm.
    assert_eq!(run(folder.path()).unwrap(), 5);
    assert_eq!(run(folder.path()).unwrap(), 5);
}

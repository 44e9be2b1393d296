//! Does a convolutional network beat a perceptron on the same images?

use kiln_experiments::{Experiment, Ran, Scale, Section, signed_points};
use kiln_lab::{Comparison, Equal, LabError};
use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "mlp-vs-cnn",
        about: "The lecture's own comparison first: a perceptron of 178,110 and a convolutional network of 5,386 parameters, 5,000 training and 5,000 validation images of MNIST, Adam at 0.005, 1,000 images a step. Then the same question where the two are equal in parameters or in multiply-accumulates, on other images, and against the number of training images.",
        comparisons,
        answer,
        sections,
    })
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    vec![lecture(scale)]
}

fn lecture(scale: Scale) -> Comparison {
    let mut lecture = Comparison::new("lecture", "The lecture's two networks", &["model"])
        .share(scale.pick(
            [
                "data.dataset=digits",
                "data.limit_train=3000",
                "data.limit_val=1000",
            ],
            [
                "data.dataset=mnist",
                "data.limit_train=5000",
                "data.limit_val=5000",
            ],
            [
                "data.dataset=mnist",
                "data.limit_train=5000",
                "data.limit_val=5000",
            ],
        ))
        .share([
            "train.batch_size=1000",
            "optimizer.name=adam",
            "optimizer.lr=0.005",
            "schedule.name=constant",
            "data.preprocessing=none",
        ])
        .share([format!("train.epochs={}", scale.pick(3, 20, 20))])
        .arm("MLP", "model.name=mlp-meml")
        .arm("CNN", "model.name=cnn-meml");
    lecture.equal = Equal::Epochs;
    lecture.seeds = scale.pick(2, 3, 10);
    lecture
}

fn answer(ran: &Ran) -> String {
    let difference = ran
        .result("lecture")
        .and_then(|one| one.difference("CNN", "MLP"));
    match difference {
        Some(difference) => format!(
            "On the lecture's 5,000 images the CNN is {} percentage points better than the MLP.",
            signed_points(&difference.accuracy)
        ),
        None => "One of the two failed.".to_owned(),
    }
}

fn sections(_: &Ran) -> Result<Vec<Section>, LabError> {
    Ok(Vec::new())
}

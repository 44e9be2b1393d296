//! What does each step from LeNet to ResNeXt bring, and is the improvement
//! after ResNet marginal?

use kiln_experiments::{
    Experiment, Figure, Ran, Scale, Section, band, over, points, signed_points,
};
use kiln_figures::{Axis, LinePlot, Series, markdown};
use kiln_lab::{
    ArmDifference, ArmResult, Comparison, ComparisonResult, Equal, EvalSplit, Interval, LabError,
    RECIPES,
};
use std::process::ExitCode;

/// An architecture of the comparison.
struct Architecture {
    name: &'static str,
    /// The network for a budget of minutes.
    model: &'static str,
    /// Times its channels, where it has that choice.
    width: Option<f64>,
    /// The published training, of the network that is large enough for it.
    recipe: Option<&'static str>,
}

/// By year.
const ARCHITECTURES: [Architecture; 7] = [
    of("LeNet", "lenet", None, None),
    of("AlexNet", "alexnet-cifar", None, Some("alexnet-cifar10")),
    of("VGG", "vgg11-bn-cifar", Some(0.5), Some("vgg16-bn-cifar10")),
    of(RESNET, "resnet20", Some(1.0), Some("resnet18-cifar10")),
    of(
        "DenseNet",
        "densenet-bc-40-12",
        Some(0.5),
        Some("densenet-bc-100-12-cifar10"),
    ),
    of(
        "ResNeXt",
        "resnext29",
        Some(0.25),
        Some("resnext29-cifar10"),
    ),
    of(
        "MobileNetV2",
        "mobilenet_v2-cifar",
        Some(0.5),
        Some("mobilenet_v2-cifar10"),
    ),
];

/// The one that the others are held against, and those that came after it.
const RESNET: &str = "ResNet";
const SUCCESSORS: [&str; 3] = ["DenseNet", "ResNeXt", "MobileNetV2"];

/// Enough to see that everything runs.
const OF_SMOKE: [&str; 4] = ["LeNet", RESNET, "DenseNet", "ResNeXt"];

/// The training of a network that nobody published one for.
const USUAL: &str = "alexnet-cifar10";

/// The probability below which McNemar's test counts, where one seed is all
/// there is.
const SIGNIFICANT: f64 = 0.05;

const fn of(
    name: &'static str,
    model: &'static str,
    width: Option<f64>,
    recipe: Option<&'static str>,
) -> Architecture {
    Architecture {
        name,
        model,
        width,
        recipe,
    }
}

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "architectures",
        about: "Seven architectures on the same CIFAR-10 images with the same optimizer and schedule, each for the same time: LeNet-5 and AlexNet for small images as they are, VGG-11, ResNet-20, DenseNet-BC-40, ResNeXt-29 and MobileNetV2 so narrow (`model.width`) that an image costs 15 to 60 million multiply-accumulates. How many epochs fit was measured once for each before its first training: a network that is slow on this machine sees fewer images. The long form trains networks of published size as their recipes in `recipes/` say, which differ in more than the network.",
        comparisons,
        answer,
        sections,
    })
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    match scale {
        Scale::Long => ARCHITECTURES.iter().map(published).collect(),
        _ => vec![narrow(scale)],
    }
}

/// All architectures, narrow, for the same seconds.
fn narrow(scale: Scale) -> Comparison {
    let title = scale.pick("Equal epochs", "Equal seconds", "Equal seconds");
    let mut narrow = Comparison::new("narrow", title, &["model"])
        .share([
            format!(
                "data.dataset={}",
                scale.pick("shapes:300", "cifar10", "cifar10")
            ),
            format!("data.limit_train={}", scale.pick(128, 1000, 10_000)),
            format!("data.limit_val={}", scale.pick(50, 250, 1000)),
            "data.augment=basic".to_owned(),
            format!("train.batch_size={}", scale.pick(32, 64, 128)),
        ])
        .share([
            "optimizer.name=nesterov",
            "optimizer.lr=0.05",
            "optimizer.weight_decay=5e-4",
            "schedule.name=one-cycle",
        ]);
    for architecture in &ARCHITECTURES {
        if scale == Scale::Smoke && !OF_SMOKE.contains(&architecture.name) {
            continue;
        }
        let part = scale.pick(0.25, 1.0, 1.0);
        let width = architecture.width.map(|width| width * part);
        let width = width.map(|width| format!(" model.width={width}"));
        let keys = format!(
            "model.name={}{}",
            architecture.model,
            width.unwrap_or_default()
        );
        narrow = narrow.arm(architecture.name, &keys);
    }
    match scale {
        Scale::Smoke => narrow = narrow.share(["train.epochs=1"]),
        _ => narrow.equal = Equal::Seconds(scale.pick(1.0, 25.0, 180.0)),
    }
    narrow.seeds = scale.pick(1, 1, 3);
    let names: Vec<_> = ARCHITECTURES.iter().map(|one| one.name).collect();
    narrow.pairs = names.windows(2).map(|step| [step[1], step[0]]).collect();
    narrow
}

/// An architecture at full size, as it was published. Recipes differ in epochs
/// and optimizers, so each is a comparison of its own.
fn published(architecture: &Architecture) -> Comparison {
    let recipe = architecture.recipe.unwrap_or(USUAL);
    let mut model = Vec::new();
    let mut shared = Vec::new();
    for (section, key, value) in keys_of(recipe) {
        match section.as_str() {
            "model" => model.push(format!("model.{key}={value}")),
            _ => shared.push(format!("{section}.{key}={value}")),
        }
    }
    if architecture.recipe.is_none() {
        model = vec![format!("model.name={}", architecture.model)];
    }
    let title = format!("{} by the recipe {recipe}", architecture.name);
    let mut published = Comparison::new(architecture.name, &title, &["model"])
        .share(shared)
        .arm(architecture.name, &model.join(" "));
    published.seeds = 3;
    published
}

/// Section, key and value of everything in a recipe.
fn keys_of(recipe: &str) -> Vec<(String, String, String)> {
    let text = RECIPES.iter().find(|one| one.name == recipe);
    let table: toml::Table = text
        .and_then(|recipe| recipe.text.parse().ok())
        .unwrap_or_default();
    let mut keys = Vec::new();
    for (section, values) in table {
        for (key, value) in values.as_table().into_iter().flatten() {
            let text = value.as_str().map(str::to_owned);
            let text = text.unwrap_or_else(|| value.to_string());
            keys.push((section.clone(), key.clone(), text));
        }
    }
    keys
}

/// All arms side by side: those of the one comparison, or of one for each
/// recipe, which divide the data alike.
fn together(ran: &Ran) -> Option<ComparisonResult> {
    let (first, others) = ran.results.split_first()?;
    let mut all = first.clone();
    all.arms
        .extend(others.iter().flat_map(|other| other.arms.clone()));
    Some(all)
}

/// Whether a difference is more than chance, by its interval, or by the test
/// images where there is one seed.
fn is_told(difference: &ArmDifference) -> bool {
    match difference.accuracy.half_width {
        Some(_) => difference.accuracy.excludes_zero(),
        None => difference.mcnemar.iter().all(|test| test.p < SIGNIFICANT),
    }
}

/// The arm that recognises most test images.
fn best(all: &ComparisonResult) -> Option<(&ArmResult, Interval)> {
    let arms = all.arms.iter();
    arms.filter_map(|arm| Some((arm, arm.accuracy(EvalSplit::Test)?)))
        .max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))
}

fn answer(ran: &Ran) -> String {
    answered(ran).unwrap_or_else(|| "The comparison failed: see its table.".to_owned())
}

fn answered(ran: &Ran) -> Option<String> {
    let all = together(ran)?;
    let after = SUCCESSORS.iter();
    let after = after.filter_map(|name| all.difference(name, RESNET));
    let after = after.max_by(|a, b| a.accuracy.mean.total_cmp(&b.accuracy.mean))?;
    let verdict = match (is_told(&after), after.accuracy.mean > 0.0) {
        (true, true) => "an improvement",
        (true, false) => "none of them improves on it",
        (false, _) => "no difference that these trainings can tell from chance",
    };
    let (most, accuracy) = best(&all)?;
    let until = all.difference(RESNET, "LeNet")?;
    let when = match ran.scale {
        Scale::Smoke => "After the same epochs",
        Scale::Long => "By the published recipes",
        _ => "In the same time",
    };
    Some(format!(
        "{when} the step from LeNet to {RESNET} is {} percentage points of test accuracy, that from {RESNET} ({}) to the best of its successors, {} ({}), {}: {verdict}; the best of all is {} with {}.",
        signed_points(&until.accuracy),
        epochs(&all, RESNET)?,
        after.first,
        epochs(&all, &after.first)?,
        signed_points(&after.accuracy),
        most.arm.name,
        points(&accuracy),
    ))
}

/// Epochs that an arm was given: `11 epochs`.
fn epochs(all: &ComparisonResult, name: &str) -> Option<String> {
    let epochs = all.arm(name)?.arm.settings.train.epochs;
    let plural = if epochs == 1 { "" } else { "s" };
    Some(format!("{epochs} epoch{plural}"))
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    let Some(all) = together(ran) else {
        return Ok(Vec::new());
    };
    Ok(vec![
        against_resnet(&all),
        Section {
            title: "What the accuracy costs".to_owned(),
            text: "A dot is the mean over the seeds; where there are several, a grey line is one standard deviation to both sides.".to_owned(),
            figures: vec![
                cost(&all, "parameters", |arm| arm.arm.parameters as f64),
                cost(&all, "multiply-accumulates", |arm| arm.arm.macs as f64),
                seconds(&all),
            ],
        },
    ])
}

/// Every architecture minus ResNet.
fn against_resnet(all: &ComparisonResult) -> Section {
    let others = all.arms.iter().filter(|arm| arm.arm.name != RESNET);
    let rows = others.filter_map(|arm| {
        let difference = all.difference(&arm.arm.name, RESNET)?;
        let verdict = match (is_told(&difference), difference.accuracy.mean > 0.0) {
            (true, true) => "better",
            (true, false) => "worse",
            (false, _) => "not told from chance",
        };
        Some(vec![
            arm.arm.name.clone(),
            signed_points(&difference.accuracy),
            verdict.to_owned(),
        ])
    });
    let head = ["", "against ResNet (points)", "is"];
    let table = markdown(&head, &rows.collect::<Vec<_>>());
    Section {
        title: "Before and after ResNet".to_owned(),
        text: format!(
            "Differences count where their 95 % interval over the seeds leaves out zero; of a single seed, where McNemar's test gives a probability below {SIGNIFICANT}, which is about these two trained networks and says nothing of others from other seeds.\n\n{table}"
        ),
        figures: Vec::new(),
    }
}

/// Accuracy against what a network costs: a dot for each architecture.
fn cost(all: &ComparisonResult, name: &str, of: fn(&ArmResult) -> f64) -> Figure {
    let mut series = Vec::new();
    let mut range = [f64::INFINITY, 0.0];
    for arm in &all.arms {
        let Some(accuracy) = arm.accuracy(EvalSplit::Test) else {
            continue;
        };
        let (x, y) = (of(arm), accuracy.mean * 100.0);
        // So that no dot lies on the frame.
        range = [range[0].min(x / 1.5), range[1].max(x * 1.5)];
        if let Some(std) = accuracy.std {
            series.push(Series {
                points: vec![(x, y - std * 100.0), (x, y + std * 100.0)],
                backdrop: true,
                ..Series::default()
            });
        }
        series.push(Series {
            name: arm.arm.name.clone(),
            points: vec![(x, y)],
            dots: true,
            ..Series::default()
        });
    }
    let plot = LinePlot {
        title: format!("Accuracy against {name}"),
        x: Axis {
            range: (!series.is_empty()).then_some(range),
            ..Axis::log(name)
        },
        y: Axis::linear("test accuracy (%)"),
        series,
        marks: Vec::new(),
    };
    Figure {
        name: name.to_owned(),
        caption: format!("Test accuracy of each network against its {name}"),
        svg: plot.svg(),
    }
}

/// Accuracy against the time that has gone into the training.
fn seconds(all: &ComparisonResult) -> Figure {
    let series = all.arms.iter().map(|arm| {
        let mut gone = 0.0;
        let times = over(arm, |point| Some(point.seconds));
        let times = times.iter().map(|(_, epoch)| {
            gone += epoch.mean;
            gone
        });
        let accuracies = over(arm, |point| point.val_accuracy);
        let accuracies = accuracies.into_iter().map(|(_, accuracy)| accuracy);
        band(
            &arm.arm.name,
            &times.zip(accuracies).collect::<Vec<_>>(),
            100.0,
        )
    });
    let plot = LinePlot {
        title: "Accuracy against seconds of training".to_owned(),
        x: Axis::linear("seconds of training"),
        y: Axis::linear("validation accuracy (%)"),
        series: series.filter(|one| !one.points.is_empty()).collect(),
        marks: Vec::new(),
    };
    Figure {
        name: "seconds".to_owned(),
        caption: "Validation accuracy of each network after so many seconds of training; the bands are one standard deviation over the seeds".to_owned(),
        svg: plot.svg(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use kiln_lab::{Layers, draft};
    use kiln_models::{Form, Options, build};

    #[test]
    fn no_narrow_network_needs_a_hundred_million_multiply_accumulates() {
        for architecture in &ARCHITECTURES {
            let row = kiln_models::find(architecture.model).expect("a network");
            let options = Options {
                width: architecture.width,
                ..Options::default()
            };
            let task = Form::Cifar.task();
            let network = build(row.name, &task, &options, &Device::flex()).expect("builds");
            let steps = network.steps(task.input).expect("takes CIFAR's images");
            let macs: u64 = steps.iter().map(|step| step.macs).sum();
            assert!(macs < 100_000_000, "{}: {macs}", row.name);
        }
    }

    #[test]
    fn every_recipe_is_there_and_resolves() {
        for architecture in &ARCHITECTURES {
            let published = published(architecture);
            assert!(!published.shared.is_empty(), "{}", architecture.name);
            let arm = &published.arms[0];
            let layers = Layers {
                set: published.shared.iter().chain(&arm.keys).cloned().collect(),
                ..Layers::default()
            };
            draft(&layers).unwrap_or_else(|error| panic!("{}: {error}", architecture.name));
        }
    }
}

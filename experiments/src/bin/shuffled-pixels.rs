//! What remains of a network's accuracy when all pixels change places?

use kiln_experiments::{Experiment, Figure, Ran, Scale, Section, band, moved, signed_points};
use kiln_figures::{Axis, Grid, LinePlot, Pixels, Tile, markdown};
use kiln_lab::{
    ArmResult, Comparison, ComparisonResult, EvalSplit, LabError, Outcome, first_images,
};
use std::process::ExitCode;

/// The networks: name, configuration key, and what it is.
const NETWORKS: [(&str, &str, &str); 2] = [
    ("mlp", "mlp", "Perceptron"),
    ("cnn", "lenet", "Convolutional network (LeNet-5)"),
];

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "shuffled-pixels",
        about: "One permutation of the pixels is done to every image, to training, validation and test images alike. All that an image holds is still there, but neighbours are neighbours no longer. For a perceptron the order of its inputs is a name: with the columns of its first layer permuted it computes the same as before, and its first weights are drawn alike for all pixels, so what changes is luck. A convolution looks at neighbours. In between, pixels change places within blocks only: what is near stays near, but not in order.",
        comparisons,
        answer,
        sections,
    })
}

/// The sides of the blocks within which pixels change places.
fn sides(scale: Scale) -> &'static [usize] {
    scale.pick(&[1, 4, 28], &[1, 4, 7, 28], &[1, 2, 4, 7, 14, 28])
}

fn arrangement(side: usize) -> (String, String) {
    match side {
        1 => ("in order".to_owned(), "in-order".to_owned()),
        28 => ("shuffled".to_owned(), "shuffled".to_owned()),
        side => (format!("within {side}x{side}"), format!("shuffled:{side}")),
    }
}

fn datasets(scale: Scale) -> &'static [&'static str] {
    scale.pick(&["digits"], &["mnist"], &["mnist", "fashion-mnist"])
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    let sets = datasets(scale).iter();
    sets.flat_map(|set| NETWORKS.map(|network| comparison(scale, set, network)))
        .collect()
}

fn comparison(scale: Scale, set: &str, (name, model, title): (&str, &str, &str)) -> Comparison {
    let mut comparison = Comparison::new(
        &format!("{name}-{set}"),
        &format!("{title} on {set}"),
        &["data.pixels"],
    )
    .share([
        format!("model.name={model}"),
        format!("data.dataset={set}"),
        format!("data.limit_train={}", scale.pick(1000, 5000, 10_000)),
        format!("data.limit_val={}", scale.pick(300, 1000, 2000)),
        format!("train.epochs={}", scale.pick(2, 6, 8)),
    ]);
    for side in sides(scale) {
        let (name, value) = arrangement(*side);
        comparison = comparison.arm(&name, &format!("data.pixels={value}"));
    }
    comparison.seeds = scale.pick(2, 3, 5);
    comparison
}

fn results<'a>(ran: &'a Ran, set: &str) -> Option<[&'a ComparisonResult; 2]> {
    let [mlp, cnn] = NETWORKS.map(|(name, ..)| ran.result(&format!("{name}-{set}")));
    Some([mlp?, cnn?])
}

fn tested(outcome: &Outcome) -> Option<f64> {
    outcome.accuracy(EvalSplit::Test)
}

fn answer(ran: &Ran) -> String {
    let set = datasets(ran.scale)[0];
    let found = results(ran, set).and_then(|[mlp, cnn]| {
        let [m, c] = [mlp, cnn].map(|one| one.difference("shuffled", "in order"));
        let lead = cnn.arm("shuffled")?.minus(mlp.arm("shuffled")?, tested)?;
        Some((m?.accuracy, c?.accuracy, lead))
    });
    let Some((mlp, cnn, lead)) = found else {
        return "A training failed.".to_owned();
    };
    let then = match (lead.excludes_zero(), lead.mean > 0.0) {
        (false, _) => "neither better nor worse than the perceptron by more than that luck",
        (true, true) => "still better than the perceptron",
        (true, false) => "worse than the perceptron",
    };
    format!(
        "When all pixels of {set} change places, always the same way, the perceptron's test accuracy {} and LeNet's {}; LeNet is then {then} ({} points).",
        moved(&mlp),
        moved(&cnn),
        signed_points(&lead)
    )
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    let mut sections = vec![shown(ran)?];
    sections.extend(together(ran));
    Ok(sections)
}

/// One image in every arrangement, as the networks were shown it.
fn shown(ran: &Ran) -> Result<Section, LabError> {
    let mut tiles = Vec::new();
    let arms = ran.results.first().map(|result| &result.arms[..]);
    for ArmResult { arm, .. } in arms.unwrap_or_default() {
        let (first, _) = first_images(&arm.settings, 1, ran.store)?;
        let greys = first.pixels(0).iter().map(|grey| [*grey; 3]);
        tiles.push(Tile::new(Pixels::new(28, greys.collect()), &arm.name));
    }
    let sheet = Grid {
        title: "One image in every arrangement".to_owned(),
        notes: Vec::new(),
        sections: vec![kiln_figures::Section::new("", [168.0, 168.0], tiles)],
    };
    Ok(Section {
        title: "What the networks see".to_owned(),
        text: "The first training image in every arrangement. Blocks of one size are each shuffled in their own way, the same in every image.".to_owned(),
        figures: vec![Figure {
            name: "arrangements".to_owned(),
            caption: "One training image with its pixels in order, shuffled within blocks, and shuffled over the whole image".to_owned(),
            svg: sheet.svg(),
        }],
    })
}

/// Both networks by arrangement.
fn together(ran: &Ran) -> Option<Section> {
    let mut series = Vec::new();
    let mut rows = Vec::new();
    for set in datasets(ran.scale) {
        let pair = results(ran, set)?;
        for (result, short) in pair.iter().zip(["perceptron", "LeNet-5"]) {
            let points = sides(ran.scale).iter().filter_map(|side| {
                let arm = result.arm(&arrangement(*side).0)?;
                Some((*side as f64, arm.accuracy(EvalSplit::Test)?))
            });
            let points: Vec<_> = points.collect();
            series.push(band(&format!("{short}, {set}"), &points, 100.0));
        }
        for side in sides(ran.scale) {
            let (name, _) = arrangement(*side);
            let lead = pair[1].arm(&name)?.minus(pair[0].arm(&name)?, tested)?;
            rows.push(vec![(*set).to_owned(), name, signed_points(&lead)]);
        }
    }
    let plot = LinePlot {
        title: "Test accuracy by how far pixels change places".to_owned(),
        x: Axis::log("side of the blocks within which pixels change places (1: in order, 28: all)"),
        y: Axis::linear("test accuracy (%)"),
        series,
        marks: Vec::new(),
    };
    Some(Section {
        title: "What convolution is worth in each arrangement".to_owned(),
        text: markdown(
            &["images", "pixels", "LeNet − perceptron (points of test accuracy)"],
            &rows,
        ),
        figures: vec![Figure {
            name: "accuracy".to_owned(),
            caption: "Test accuracy of perceptron and LeNet against the side of the shuffled blocks; the bands are one standard deviation over the seeds".to_owned(),
            svg: plot.svg(),
        }],
    })
}

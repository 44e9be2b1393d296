//! Does a 1-D convolution learn from signals of any length what a perceptron
//! cannot?

use kiln_experiments::{
    Experiment, Figure, Ran, Scale, Section, band,
    low_pass::{CUTOFF, Filter, TAPS, best_gain, frequencies},
    points, signed_points,
};
use kiln_figures::{Axis, LinePlot, Mark, Series, markdown};
use kiln_lab::{
    ArmResult, CheckpointName, Comparison, Equal, EvalSplit, Interval, LabError, Measure, Measured,
    RunFolder, evaluate_changed, first_images,
};
use kiln_store::Store;
use kiln_vision::{ImageSpec, Images};
use std::process::ExitCode;

const MLP: &str = "MLP";
const MEAN: &str = "1-D CNN, mean over time";
const MAXIMUM: &str = "1-D CNN, maximum over time";
/// Samples that the networks are trained on.
const TRAINED: usize = 256;
/// Samples that they are tested on.
const LENGTHS: [usize; 6] = [64, 128, 256, 512, 1024, 2048];
/// The set of the longest of them.
const LONG: &str = "signals-long";
/// The byte of silence.
const SILENCE: u8 = 128;

fn main() -> ExitCode {
    kiln_experiments::main(Experiment {
        name: "signals",
        about: "Ten classes of synthetic sounds (tones, chirps, square waves, ramps, clicks) in noise: short bursts at any time in a signal of 256 samples. A perceptron has weights for every sample; a 1-D convolutional network slides the same kernels over time and pools what they find, so that it does not matter when something sounds, nor how long the signal is. Both have equally many parameters. Then the trained networks are tested on signals of 64 to 2,048 samples; the perceptron, which takes 256 samples and nothing else, is given the first 256 of longer ones, and silence after shorter ones. Last, a single convolution learns to take the noise out of a signal.",
        comparisons,
        answer,
        sections,
    })
}

fn comparisons(scale: Scale) -> Vec<Comparison> {
    let mut comparison = Comparison::new("signals", "Signals of 256 samples", &["model"])
        .share([
            "data.dataset=signals".to_owned(),
            format!("data.limit_train={}", scale.pick(500, 5000, 10_000)),
            format!("data.limit_val={}", scale.pick(200, 1000, 2000)),
            format!("train.epochs={}", scale.pick(2, 8, 20)),
        ])
        .arm(MLP, "model.name=mlp model.hidden=[90]")
        .arm(MEAN, "model.name=signal model.pooling=average")
        .arm(MAXIMUM, "model.name=signal model.pooling=max");
    comparison.equal = Equal::Parameters(0.02);
    comparison.seeds = scale.pick(2, 3, 5);
    comparison.measures = vec![Measure {
        name: "lengths",
        of: lengths,
    }];
    vec![comparison]
}

/// Test accuracy on the beginnings of the long signals.
fn lengths(folder: &RunFolder, store: &Store) -> Result<Measured, LabError> {
    let of_any_length = folder.manifest()?.settings.model.name == "signal";
    let changes = LENGTHS.map(|length| {
        move |images: &Images| {
            let heard = beginning(images, length);
            match of_any_length {
                true => heard,
                false => beginning(&heard, TRAINED),
            }
        }
    });
    let found = evaluate_changed(folder, CheckpointName::Best, Some(LONG), changes, store)?;
    Ok(LENGTHS.map(at).into_iter().zip(found).collect())
}

/// The first `length` samples, with silence after signals that are shorter.
fn beginning(signals: &Images, length: usize) -> Images {
    let kept = signals.spec().width.min(length);
    signals.map(ImageSpec::new(1, 1, length), |signal, samples| {
        samples.extend_from_slice(&signal[..kept]);
        samples.resize(samples.len() + length - kept, SILENCE);
    })
}

fn at(length: usize) -> String {
    format!("accuracy on {length} samples")
}

fn arms<'a>(ran: &'a Ran) -> &'a [ArmResult] {
    ran.results.first().map_or(&[], |result| &result.arms)
}

fn measured(arm: &ArmResult, length: usize) -> Option<Interval> {
    arm.over(|outcome| outcome.measured(&at(length)))
}

fn answer(ran: &Ran) -> String {
    let found = ran.result("signals").and_then(|result| {
        let lead = result.difference(MEAN, MLP)?.accuracy;
        let [mlp, cnn] = [result.arm(MLP)?, result.arm(MEAN)?];
        let [short, long] = [TRAINED, LENGTHS[5]].map(|length| measured(cnn, length));
        Some((lead, mlp.accuracy(EvalSplit::Test)?, short?, long?))
    });
    let Some((lead, mlp, short, long)) = found else {
        return "A training failed.".to_owned();
    };
    let verdict = match (lead.excludes_zero(), lead.mean > 0.0) {
        (false, _) => "the seeds do not tell it from",
        (true, true) => "it is better than",
        (true, false) => "it is worse than",
    };
    format!(
        "With as many parameters the 1-D CNN recognises {} of the signals, and {verdict} the perceptron with {} ({} points); the same weights recognise {} of signals eight times as long, which the perceptron cannot take.",
        points(&short),
        points(&mlp),
        signed_points(&lead),
        points(&long)
    )
}

fn sections(ran: &Ran) -> Result<Vec<Section>, LabError> {
    Ok(vec![heard(ran)?, by_length(ran), low_pass(ran.scale)?])
}

/// A line without a band.
fn line(name: &str, points: Vec<(f64, f64)>) -> Series {
    Series {
        name: name.to_owned(),
        points,
        ..Series::default()
    }
}

/// The first signals of a few classes.
fn heard(ran: &Ran) -> Result<Section, LabError> {
    let Some(arm) = arms(ran).first() else {
        return Err(LabError::run("nothing was trained"));
    };
    let (signals, _) = first_images(&arm.arm.settings, 100, ran.store)?;
    let shown = [(0, "low tone"), (3, "rising chirp"), (9, "clicks")];
    let series = shown.iter().enumerate().filter_map(|(row, (class, name))| {
        let index = signals.labels().iter().position(|label| label == class)?;
        let samples = signals.pixels(index).iter().enumerate();
        // One below the other, each from -1 to 1.
        let place = |(at, byte): (usize, &u8)| {
            let value = (f64::from(*byte) - f64::from(SILENCE)) / 127.0;
            (at as f64, value - 2.0 * row as f64)
        };
        Some(line(name, samples.map(place).collect()))
    });
    let plot = LinePlot {
        title: "Three training signals".to_owned(),
        x: Axis::linear("sample"),
        y: Axis::linear("value (each below the other)"),
        series: series.collect(),
        marks: Vec::new(),
    };
    Ok(Section {
        title: "The signals".to_owned(),
        text: "Every signal holds several bursts of its class's sound; when they begin, how loud they are, their phase, their exact pitch and the noise are drawn for each.".to_owned(),
        figures: vec![Figure {
            name: "examples".to_owned(),
            caption: "Three training signals: bursts of a low tone, of rising chirps and of clicks in noise".to_owned(),
            svg: plot.svg(),
        }],
    })
}

fn by_length(ran: &Ran) -> Section {
    let mut head = vec!["samples".to_owned()];
    head.extend(arms(ran).iter().map(|arm| arm.arm.name.clone()));
    let rows = LENGTHS.map(|length| {
        let accuracy = |arm| measured(arm, length).map_or("-".to_owned(), |one| points(&one));
        let mut row = vec![length.to_string()];
        row.extend(arms(ran).iter().map(accuracy));
        row
    });
    let series = arms(ran).iter().map(|arm| {
        let points = LENGTHS.iter();
        let points = points.filter_map(|length| Some((*length as f64, measured(arm, *length)?)));
        band(&arm.arm.name, &points.collect::<Vec<_>>(), 100.0)
    });
    let plot = LinePlot {
        title: "Test accuracy against the length of the signals".to_owned(),
        x: Axis::log("samples of the test signals"),
        y: Axis::linear("test accuracy (%)"),
        series: series.collect(),
        marks: vec![Mark {
            x: TRAINED as f64,
            label: "length in training".to_owned(),
        }],
    };
    let head: Vec<_> = head.iter().map(String::as_str).collect();
    Section {
        title: "Signals of other lengths".to_owned(),
        text: format!(
            "The networks trained on 256 samples, tested on the beginnings of 2,048-sample test signals. More samples need no more parameters of the convolutional network; the perceptron hears the first 256 whatever the length, and silence after fewer.\n\n{}",
            markdown(&head, &rows)
        ),
        figures: vec![Figure {
            name: "lengths".to_owned(),
            caption: "Test accuracy against the number of samples; the bands are one standard deviation over the seeds".to_owned(),
            svg: plot.svg(),
        }],
    }
}

fn low_pass(scale: Scale) -> Result<Section, LabError> {
    let seeds = 1..=scale.pick(2u64, 3, 5);
    let learned = seeds.map(|seed| Filter::learned(seed, scale.pick(100, 1000, 3000)));
    let learned = learned.collect::<Result<Vec<_>, _>>()?;
    let averages = (3..=TAPS).step_by(2).map(Filter::moving_average);
    let average = averages
        .map(|filter| (filter.error(), filter))
        .min_by(|left, right| left.0.total_cmp(&right.0));
    let mut others = vec![Filter::best(), Filter::ideal()];
    others.extend(average.map(|(_, filter)| filter));
    let errors: Vec<_> = learned.iter().map(Filter::error).collect();
    let nothing = Filter::moving_average(1).error();
    let mut rows = vec![vec!["nothing done".to_owned(), format!("{nothing:.4}")]];
    rows.extend(Interval::of(&errors).map(|error| {
        let std = error.std.map(|std| format!(" ± {std:.4}"));
        vec![
            format!("learned, {} starts", error.count),
            format!("{:.4}{}", error.mean, std.unwrap_or_default()),
        ]
    }));
    let others_rows = others.iter();
    rows.extend(others_rows.map(|one| vec![one.name.clone(), format!("{:.4}", one.error())]));
    // The learned one last, over the one that it comes near.
    let filters: Vec<_> = others.iter().chain(learned.first()).collect();
    let taps = filters.iter().map(|filter| {
        let taps = filter.taps.iter().enumerate();
        let place = |(at, tap): (usize, &f64)| (at as f64 - (TAPS / 2) as f64, *tap);
        Series {
            dots: filter.name == "learned",
            ..line(&filter.name, taps.map(place).collect())
        }
    });
    let gains = filters.iter().map(|filter| {
        let points = frequencies().map(|frequency| (frequency, filter.gain(frequency)));
        line(&filter.name, points.collect())
    });
    let limit = frequencies().map(|frequency| (frequency, best_gain(frequency)));
    let limit = line("best of any length", limit.collect());
    let weights = LinePlot {
        title: "Weights of the filters".to_owned(),
        x: Axis::linear("sample, 0 is the present one"),
        y: Axis::linear("weight"),
        series: taps.collect(),
        marks: Vec::new(),
    };
    let response = LinePlot {
        title: "What the filters let through".to_owned(),
        x: Axis::linear("frequency (periods per sample)"),
        y: Axis::linear("gain"),
        series: std::iter::once(limit).chain(gains).collect(),
        marks: vec![Mark {
            x: CUTOFF,
            label: "highest frequency of the clean signals".to_owned(),
        }],
    };
    Ok(Section {
        title: "A low-pass filter found by learning".to_owned(),
        text: format!(
            "One convolution of {TAPS} weights without a bias is trained to give sines below {CUTOFF} periods per sample back from themselves and white noise of the same power, by the mean squared error alone; nobody tells it of frequencies. It is set beside the filter of {TAPS} weights that N. Wiener's equations calculate from the spectra, the ideal low-pass filter cut off after {TAPS} weights, and the best moving average. Mean squared error on new signals:\n\n{}",
            markdown(&["filter", "mean squared error"], &rows)
        ),
        figures: vec![
            Figure {
                name: "filter-weights".to_owned(),
                caption: "The weights of the learned filter and of three that are calculated"
                    .to_owned(),
                svg: weights.svg(),
            },
            Figure {
                name: "filter-gain".to_owned(),
                caption: "By how much each filter lets a frequency through".to_owned(),
                svg: response.svg(),
            },
        ],
    })
}

//! Runs as one HTML file: tables, curves, and what the networks look like
//! inside. It needs no network and no script, and is read on a phone too.

mod curves;
mod page;

use crate::{
    EvalSplit, LabError, RunFolder, Status,
    compare::{difference_rows, side_by_side},
    view::{Inside, NotDrawn, View, ViewRequest, draw},
};
use curves::curves;
use kiln_store::Store;
use kiln_vision::Invert;
use page::Page;

/// What a report shows.
pub struct ReportRequest {
    /// The images that the networks are judged by.
    pub split: EvalSplit,
    /// Backend instead of the runs' own.
    pub backend: Option<String>,
    /// Number of the image whose feature maps are shown, from 0.
    pub image: Option<usize>,
}

/// The figures of a network, in their order.
const FIGURES: [View; 8] = [
    View::Confusion,
    View::Errors,
    View::Filters,
    View::FeatureMaps,
    View::Saliency,
    View::GradCam,
    View::Exemplars,
    View::Weights,
];

/// One HTML page about `folders`. `told` is given each sentence about something
/// that there is nothing to show of.
///
/// # Errors
/// When a run cannot be read, or its data, its weights or the backend fail.
pub fn report(
    folders: &[RunFolder],
    request: &ReportRequest,
    store: &Store,
    mut told: impl FnMut(&str),
) -> Result<String, LabError> {
    let mut opened = Vec::new();
    for folder in folders {
        let inside = match folder.manifest()?.status {
            Status::Running | Status::Failed => {
                told(&format!(
                    "the run {} is not done: its curves are shown, but nothing of its weights",
                    folder.name()
                ));
                None
            }
            _ => Some(Inside::open(folder, look(request), store)?),
        };
        opened.push(inside);
    }
    let names: Vec<_> = folders.iter().map(RunFolder::name).collect();
    let labels = labels(folders)?;
    let mut page = Page::new(&match names.as_slice() {
        [one] => one.clone(),
        several => format!("{} runs", several.len()),
    });
    overview(&mut page, folders, &opened, (&labels, request.split))?;
    page.section("Curves");
    for figure in curves(folders, &labels)? {
        page.figure(&figure);
    }
    for (folder, inside) in folders.iter().zip(&opened) {
        page.run(&folder.name());
        let settings = folder.manifest()?.settings.to_toml()?;
        page.folded("Configuration", &settings);
        let Some(inside) = inside else { continue };
        for view in FIGURES {
            match draw(view, inside) {
                Ok(svg) => page.figure(&svg),
                Err(NotDrawn::Nothing(why)) => told(&format!("no {}: {why}", view.name())),
                Err(NotDrawn::Failed(error)) => return Err(error),
            }
        }
    }
    Ok(page.finish())
}

fn look(request: &ReportRequest) -> ViewRequest {
    ViewRequest {
        split: request.split,
        checkpoint: crate::CheckpointName::Best,
        backend: request.backend.clone(),
        image: request.image.map(crate::view::ImageChoice::Index),
        invert: Invert::Auto,
        class: None,
        layer: None,
    }
}

/// What the runs are called in tables and curves: their networks where those
/// tell them apart, else with a number.
fn labels(folders: &[RunFolder]) -> Result<Vec<String>, LabError> {
    let models = folders
        .iter()
        .map(|folder| Ok(folder.manifest()?.settings.model.name));
    let models = models.collect::<Result<Vec<_>, LabError>>()?;
    let mut sorted = models.clone();
    sorted.sort();
    let alike = sorted.windows(2).any(|pair| pair[0] == pair[1]);
    let label = |(at, model): (usize, String)| match alike {
        true => format!("#{} {model}", at + 1),
        false => model,
    };
    Ok(models.into_iter().enumerate().map(label).collect())
}

/// What came out, what differs, and what speaks against comparing.
fn overview(
    page: &mut Page,
    folders: &[RunFolder],
    opened: &[Option<Inside>],
    (labels, split): (&[String], EvalSplit),
) -> Result<(), LabError> {
    let found = side_by_side(folders)?;
    let mut head = vec![""];
    head.extend(labels.iter().map(String::as_str));
    page.section("What came out");
    let mut rows = vec![
        std::iter::once("run".to_owned())
            .chain(found.runs.iter().map(|run| run.run.clone()))
            .collect(),
    ];
    rows.extend(found.results());
    rows.push(judged(opened, split)?);
    page.table(&head, &rows);
    if folders.len() > 1 {
        page.section("What differs");
        let mut rows = difference_rows(&found.settings);
        rows.extend(difference_rows(&found.circumstances));
        match rows.is_empty() {
            true => page.paragraph("Nothing: the same configuration, data and machine."),
            false => page.table(&head, &rows),
        }
        if !found.unfair.is_empty() {
            page.paragraph("Not a fair comparison as it stands:");
            page.list(&found.unfair);
        }
    }
    Ok(())
}

/// The row of the accuracies that are computed for this report.
fn judged(opened: &[Option<Inside>], split: EvalSplit) -> Result<Vec<String>, LabError> {
    let mut cells = vec![format!("accuracy on the {split} images, now")];
    for inside in opened {
        let judged = inside.as_ref().map(Inside::judged).transpose();
        cells.push(match judged {
            Ok(Some(judged)) => kiln_figures::percent(judged.evaluation.accuracy),
            Ok(None) | Err(NotDrawn::Nothing(_)) => "-".to_owned(),
            Err(NotDrawn::Failed(error)) => return Err(error),
        });
    }
    Ok(cells)
}

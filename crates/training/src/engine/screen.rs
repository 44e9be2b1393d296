//! What is shown while a training runs: burn-train's dashboard or nothing;
//! lines of text are the reporter's business.

use burn::train::{
    Interrupter, LearnerSummary,
    logger::{EvaluationProgressLogger, TrainingProgressLogger},
    metric::MetricDefinition,
    renderer::{
        EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
        MetricsRendererTraining, tui::TuiMetricsRendererWrapper,
    },
};
use std::error::Error;

/// What the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Burn-train's dashboard over the whole terminal.
    Dashboard,
    /// Nothing; whoever gets the epochs may print.
    Off,
}

impl Screen {
    pub(super) fn renderer(self, interrupter: &Interrupter) -> Box<dyn MetricsRenderer> {
        match self {
            Self::Dashboard => {
                let renderer = TuiMetricsRendererWrapper::new(interrupter.clone(), None);
                signals_in_raw_mode();
                Box::new(renderer)
            }
            Self::Off => Box::new(Silent),
        }
    }
}

/// Lets Ctrl-C reach the signal handler although the dashboard has put the
/// terminal into raw mode, in which it is a key like any other.
#[cfg(unix)]
fn signals_in_raw_mode() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let terminal = std::io::stdin();
    // The dashboard enters raw mode on a thread of its own, within moments.
    for _ in 0..200 {
        match tcgetattr(&terminal) {
            Ok(mut modes) if !modes.local_modes.contains(LocalModes::ICANON) => {
                modes.local_modes.insert(LocalModes::ISIG);
                let _ = tcsetattr(&terminal, OptionalActions::Now, &modes);
                return;
            }
            Ok(_) => std::thread::sleep(std::time::Duration::from_millis(5)),
            Err(_) => return,
        }
    }
}

#[cfg(not(unix))]
fn signals_in_raw_mode() {}

/// A renderer that shows nothing.
struct Silent;

impl MetricsRendererTraining for Silent {
    fn update_train(&mut self, _state: MetricState) {}

    fn update_valid(&mut self, _state: MetricState) {}

    fn on_train_end(&mut self, _summary: Option<LearnerSummary>) -> Result<(), Box<dyn Error>> {
        Ok(())
    }
}

impl MetricsRendererEvaluation for Silent {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl MetricsRenderer for Silent {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, _definition: MetricDefinition) {}
}

impl TrainingProgressLogger for Silent {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}

    fn update_epoch(&mut self, _epoch: usize) {}

    fn start_split(&mut self, _split: &str, _total_items: usize) {}

    fn update_split(&mut self, _items_processed: usize) {}

    fn end_split(&mut self) {}

    fn end(&mut self) {}

    fn log_event_training(&mut self, _event: String) {}
}

impl EvaluationProgressLogger for Silent {
    fn start_global_progress(&mut self, _total_tests: usize) {}

    fn start_test(&mut self, _name: &str, _total_items: usize) {}

    fn update_test_progress(&mut self, _items_processed: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _event: String) {}
}

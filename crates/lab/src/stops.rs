//! Ending several runs, one after the other.

use kiln_training::Stop;
use std::sync::{Arc, Mutex, PoisonError};

/// A handle that ends the running one of several trainings, and those after
/// it. Each training has a [`Stop`] of its own, because a loss that becomes
/// infinite or NaN also uses it, and ends its own training alone.
#[derive(Clone, Default)]
pub struct Stops(Arc<Mutex<Current>>);

#[derive(Default)]
struct Current {
    asked: bool,
    stop: Stop,
}

impl Stops {
    /// The handle of the next training.
    pub fn next(&self) -> Stop {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        current.stop = Stop::default();
        if current.asked {
            current.stop.request();
        }
        current.stop.clone()
    }

    /// Asks for the end; what was learned is saved.
    pub fn request(&self) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        current.asked = true;
        current.stop.request();
    }
}

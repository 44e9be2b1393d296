//! How many threads the CPU backends compute with: those of rayon's global
//! pool, which flex, its matrix product and ndarray share.

use crate::BackendError;

/// More threads are a mistake.
pub(crate) const MOST: usize = 1024;

/// Makes the CPU backends compute with `count` threads. It must come before
/// anything is computed; without it there are as many as `RAYON_NUM_THREADS`
/// says, or as the machine has cores. The number changes no result.
///
/// # Errors
/// For no threads or far too many, and when the threads are running already.
pub fn set_threads(count: usize) -> Result<(), BackendError> {
    if !(1..=MOST).contains(&count) {
        return Err(BackendError::Threads(count));
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .build_global()
        .map_err(|error| BackendError::ThreadsSettled(error.to_string()))
}

/// Threads that the CPU backends compute with.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_threads_and_far_too_many_are_refused() {
        for count in [0, MOST + 1] {
            let error = set_threads(count).expect_err("refused");
            assert!(error.is_usage());
            assert!(error.to_string().contains("from 1 to 1024"), "{error}");
        }
    }
}

//! Where a tensor lives: on flex or elsewhere.

use burn::{backend::DispatchDevice, tensor::Device};
use std::{
    cell::Cell,
    sync::{Mutex, PoisonError},
};

/// Whether tensors on `device` are computed by flex, tracked for gradients or not.
pub fn on_flex(device: &Device) -> bool {
    match device.as_dispatch() {
        DispatchDevice::Flex(_) => true,
        DispatchDevice::Autodiff(device) => {
            matches!(device.clone().inner(), DispatchDevice::Flex(_))
        }
        #[allow(unreachable_patterns)]
        _ => false,
    }
}

/// Held while work is done: a thread that waits for the end of a loop would
/// otherwise begin somebody else's work in the middle of its own.
static TURN: Mutex<()> = Mutex::new(());

thread_local! {
    static WORKS: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`, which is all on `device`: for flex on the first of the threads
/// that share its loops, so that not every loop has to be handed over to them
/// and waited for. It is the same thread every time, because a
/// `burn::module::RunningState` keeps what each thread has told it; work in
/// work goes on there, all other work waits for its turn.
pub fn work_on<R: Send>(device: &Device, work: impl FnOnce() -> R + Send) -> R {
    if !on_flex(device) || WORKS.get() {
        return work();
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let work = Mutex::new(Some(work));
    let done = rayon::broadcast(|thread| {
        let first = thread.index() == 0;
        let work = first.then(|| work.lock().unwrap_or_else(PoisonError::into_inner).take());
        work.flatten().map(|work| {
            let _works = Works::begin();
            work()
        })
    });
    match done.into_iter().flatten().next() {
        Some(result) => result,
        None => unreachable!("there is a first thread"),
    }
}

/// Marks its thread as working, also through a panic.
struct Works;

impl Works {
    fn begin() -> Self {
        WORKS.set(true);
        Self
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        WORKS.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    #[test]
    fn all_work_on_flex_is_done_by_one_thread() {
        let on = || work_on(&Device::flex().autodiff(), || thread::current().id());
        let first = on();
        assert_ne!(first, thread::current().id());
        assert!((0..100).all(|_| on() == first));
        assert_eq!(thread::spawn(on).join().ok(), Some(first));
    }

    #[test]
    fn work_in_work_goes_on_and_work_of_others_waits() {
        let device = &Device::flex();
        assert_eq!(work_on(device, || work_on(device, || 1)), 1);
        let alone = AtomicBool::new(true);
        let turn = || {
            work_on(device, || {
                assert!(alone.swap(false, Ordering::SeqCst));
                (0..64).into_par_iter().for_each(|_| thread::yield_now());
                alone.store(true, Ordering::SeqCst);
            });
        };
        thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(turn))));
    }

    #[test]
    fn a_panic_arrives_where_the_work_came_from() {
        let device = Device::flex();
        let caught = std::panic::catch_unwind(|| work_on(&device, || panic!("no")));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"no"));
        assert_eq!(work_on(&device, || 1), 1);
    }
}

//! Where a tensor lives: on flex or elsewhere.

use burn::{backend::DispatchDevice, tensor::Device};
use std::sync::{Mutex, PoisonError};

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

/// Does `work`, which is all on `device`: for flex on the first of the threads
/// that share its loops, so that not every loop has to be handed over to them
/// and waited for. It is the same thread every time, because a
/// `burn::module::RunningState` keeps what each thread has told it.
pub fn work_on<R: Send>(device: &Device, work: impl FnOnce() -> R + Send) -> R {
    if !on_flex(device) {
        return work();
    }
    let work = Mutex::new(Some(work));
    let done = rayon::broadcast(|thread| {
        let first = thread.index() == 0;
        let work = first.then(|| work.lock().unwrap_or_else(PoisonError::into_inner).take());
        work.flatten().map(|work| work())
    });
    match done.into_iter().flatten().next() {
        Some(result) => result,
        None => unreachable!("there is a first thread"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn all_work_on_flex_is_done_by_one_thread() {
        let on = || work_on(&Device::flex().autodiff(), || thread::current().id());
        let first = on();
        assert_ne!(first, thread::current().id());
        assert!((0..100).all(|_| on() == first));
        assert_eq!(thread::spawn(on).join().ok(), Some(first));
    }

    #[test]
    fn a_panic_arrives_where_the_work_came_from() {
        let device = Device::flex();
        let caught = std::panic::catch_unwind(|| work_on(&device, || panic!("no")));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"no"));
        assert_eq!(work_on(&device, || 1), 1);
    }
}

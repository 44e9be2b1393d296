//! Where a tensor lives: on flex or elsewhere.

use burn::{backend::DispatchDevice, tensor::Device};

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

//! The one way in which operations enter the graph of gradients.

/// Registers `output` with the backward pass `$backward` over `$nodes`.
macro_rules! track {
    ($backward:expr, $strategy:ty, $nodes:expr, $state:expr, $output:expr) => {
        match burn::backend::autodiff::ops::Backward::<burn::backend::Flex, _>::prepare::<$strategy>(
            $backward, $nodes,
        )
        .compute_bound()
        .stateful()
        {
            burn::backend::autodiff::ops::OpsKind::Tracked(node) => node.finish($state, $output),
            burn::backend::autodiff::ops::OpsKind::UnTracked(node) => node.finish($output),
        }
    };
}
pub(crate) use track;

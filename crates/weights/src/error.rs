//! Why weights cannot be read, written or used.

/// Why weights cannot be read or do not fit.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file is not there, damaged, or of no kind that holds weights.
    #[error("the weights {path} cannot be read: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// What is wrong with it and what to do.
        cause: String,
    },
    /// A tensor of the file is not made of floats.
    #[error(
        "{path} holds {name} as {dtype}; weights are floats, so save the file again with this tensor as float32"
    )]
    NotFloat {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
        /// What its elements are.
        dtype: String,
    },
    /// A tensor of the file has a value that is infinite or no number.
    #[error(
        "{path} has an infinite or NaN value in {name}; its training diverged, so take an earlier file"
    )]
    NotFiniteInFile {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
    },
    /// A tensor of the file has a float64 that float32 cannot hold.
    #[error(
        "{path} has {value:e} in {name}, which float32 cannot hold; save the file again with values below 3.4e38"
    )]
    TooLarge {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
        /// The value.
        value: f64,
    },
    /// The file has a variance below zero.
    #[error(
        "{path} has a negative value in {name}, which is a variance; the file is damaged, so take another one"
    )]
    NegativeVariance {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
    },
    /// The file was saved from quite another network.
    #[error(
        "{path} holds the weights of another network ({differences}); build the network that they were saved from"
    )]
    AnotherNetwork {
        /// The file.
        path: String,
        /// How many tensors are missing, unknown and of another shape, and the
        /// first of them.
        differences: String,
    },
    /// Some tensors of the file are not those of the network.
    #[error("{path} does not fit the network ({differences}): {cause}")]
    Unfit {
        /// The file.
        path: String,
        /// How many tensors are missing, unknown and of another shape, and the
        /// first of them.
        differences: String,
        /// What differs between file and network, and what to do.
        cause: &'static str,
    },
    /// No tensor of the network is under the prefix that was called its head.
    #[error("the network has no tensor under '{head}' that could be its head; it has {known}")]
    NoHead {
        /// The prefix.
        head: String,
        /// The outermost names of the network.
        known: String,
    },
    /// The device did not give the weights back.
    #[error("the weights could not be read from the device: {0}")]
    Device(String),
    /// A weight is infinite or no number.
    #[error("the weight {0} is infinite or NaN")]
    NotFinite(String),
    /// Safetensors refused to write.
    #[error("the weights could not be written as safetensors: {0}")]
    Format(String),
}

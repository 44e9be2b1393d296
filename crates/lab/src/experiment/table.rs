//! The experiments of the workspace by name; each is a binary of
//! `experiments/src/bin`.

/// A question that an experiment answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExperimentRow {
    /// Name of the binary and of the folder of results.
    pub name: &'static str,
    /// The question.
    pub question: &'static str,
}

const fn row(name: &'static str, question: &'static str) -> ExperimentRow {
    ExperimentRow { name, question }
}

/// Every experiment.
pub const EXPERIMENTS: &[ExperimentRow] = &[
    row(
        "mlp-vs-cnn",
        "Does a convolutional network beat a perceptron on the same images, and is it for its parameters, its arithmetic or the number of images?",
    ),
    row(
        "optimizers",
        "How do the learning algorithms compare at the lecture's rate, and each at its own?",
    ),
    row(
        "regularization",
        "Which regularizer closes the gap between training and test accuracy on few images?",
    ),
    row(
        "shuffled-pixels",
        "What remains of a network's accuracy when all pixels change places, always the same way?",
    ),
    row(
        "shift",
        "How much accuracy is left when the test images are shifted, and which layers are equivariant?",
    ),
    row(
        "depth",
        "Which activation lets a deep network learn, and do residual connections rescue it?",
    ),
    row(
        "pooling",
        "Does it matter how a network shrinks its maps, and how it pads them?",
    ),
    row(
        "architectures",
        "What does each step from LeNet to ResNeXt bring, and is the improvement after ResNet marginal?",
    ),
    row(
        "initialization",
        "How much does a network's accuracy depend on the scale of its first weights?",
    ),
    row(
        "preprocessing",
        "Which of the three ways to centre the pixels is worth it?",
    ),
    row(
        "signals",
        "Does a 1-D convolution learn from signals of any length what a perceptron cannot?",
    ),
    row(
        "weight-sharing",
        "How much of a convolution's advantage is locality, and how much weight sharing?",
    ),
];

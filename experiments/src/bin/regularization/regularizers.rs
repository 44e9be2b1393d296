//! What is held against none, and why it may be of no use.

/// A regularizer among the arms.
pub struct Regularizer {
    /// Name of the arm.
    pub name: &'static str,
    /// What it sets.
    pub keys: &'static str,
    /// The number that is searched.
    pub number: Option<&'static str>,
    /// Whether the quick form has it.
    pub quick: bool,
    /// Why it may close nothing.
    pub why: &'static str,
}

const fn row(
    name: &'static str,
    keys: &'static str,
    number: Option<&'static str>,
    quick: bool,
    why: &'static str,
) -> Regularizer {
    Regularizer {
        name,
        keys,
        number,
        quick,
        why,
    }
}

const SMALL_WEIGHTS: &str = "few images can be fitted with small and with few weights too, and what is strong enough to prevent that costs accuracy on new images as well";

const AUGMENTED: &str =
    "what is done to the images does not resemble how new images differ from them";

/// All but early stopping, which is a comparison of its own.
pub const REGULARIZERS: &[Regularizer] = &[
    row(
        "dropout",
        "model.dropout=0.5",
        Some("model.dropout"),
        true,
        "each of the smaller networks that it trains still fits so few images",
    ),
    row(
        "L2",
        "optimizer.weight_decay=0.03",
        Some("optimizer.weight_decay"),
        true,
        SMALL_WEIGHTS,
    ),
    row(
        "decoupled decay",
        "optimizer.name=adamw optimizer.lr=0.002 optimizer.weight_decay=1",
        Some("optimizer.weight_decay"),
        false,
        SMALL_WEIGHTS,
    ),
    row(
        "L1",
        "regularization.l1=0.05",
        Some("regularization.l1"),
        true,
        SMALL_WEIGHTS,
    ),
    row(
        "elastic net",
        "regularization.l1=0.01 optimizer.weight_decay=0.03",
        Some("optimizer.weight_decay"),
        false,
        SMALL_WEIGHTS,
    ),
    row(
        "max-norm",
        "regularization.max_norm=0.6",
        Some("regularization.max_norm"),
        true,
        "it bounds each unit's weights, and scores can still be as large as the later layers make them",
    ),
    row(
        "gradient clipping",
        "regularization.clip_norm=0.5",
        Some("regularization.clip_norm"),
        false,
        "it bounds the steps and not what they lead to, and Adam makes up for their length",
    ),
    row(
        "label smoothing",
        "regularization.label_smoothing=0.2",
        Some("regularization.label_smoothing"),
        true,
        "it changes what is asked for the training images, which can still be learned one by one",
    ),
    row(
        "mixup",
        "regularization.mixup=0.4",
        Some("regularization.mixup"),
        true,
        "a sum of two digits is no digit that the test could ask for",
    ),
    row(
        "cutmix",
        "regularization.cutmix=0.4",
        Some("regularization.cutmix"),
        false,
        "a part of a digit may belong to several classes",
    ),
    row(
        "input noise",
        "regularization.input_noise=0.5",
        Some("regularization.input_noise"),
        true,
        "new images differ from old ones by shape and place, not by noise in each pixel",
    ),
    row(
        "even/odd task",
        "regularization.parity=0.5",
        Some("regularization.parity"),
        false,
        "its answer follows from the class, so it brings no information that the classes had not",
    ),
    row(
        "averaged weights",
        "regularization.ema_decay=0.99",
        None,
        false,
        "the mean of networks that fit the training images fits them too",
    ),
    row(
        "basic augmentation",
        "data.augment=basic",
        None,
        true,
        AUGMENTED,
    ),
    row(
        "strong augmentation",
        "data.augment=strong",
        None,
        true,
        AUGMENTED,
    ),
    row(
        "dropout + L2",
        "model.dropout=0.5 optimizer.weight_decay=0.01",
        Some("model.dropout"),
        false,
        SMALL_WEIGHTS,
    ),
    row(
        "dropout + strong augmentation",
        "model.dropout=0.5 data.augment=strong",
        Some("model.dropout"),
        true,
        AUGMENTED,
    ),
    row(
        "strong augmentation + label smoothing",
        "data.augment=strong regularization.label_smoothing=0.2",
        Some("regularization.label_smoothing"),
        false,
        AUGMENTED,
    ),
];

/// Early stopping.
pub const EARLY: &str = "early stopping";
/// Why it may close nothing.
pub const WHY_EARLY: &str =
    "the training images are fitted by the epoch that is best, and later ones do little harm";

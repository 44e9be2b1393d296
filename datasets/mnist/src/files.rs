//! The published files of both data sets, and the names of their classes.

use kiln_store::{PinnedFile, PinnedPlain, PinnedSet};

/// Which of the two data sets of this format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Handwritten digits.
    Mnist,
    /// Clothes.
    Fashion,
}

impl Variant {
    /// Both data sets.
    pub const ALL: [Self; 2] = [Self::Mnist, Self::Fashion];

    /// The data set's name.
    pub fn name(self) -> &'static str {
        self.set().folder
    }

    /// The published files.
    pub fn set(self) -> &'static PinnedSet {
        match self {
            Self::Mnist => &MNIST,
            Self::Fashion => &FASHION,
        }
    }

    /// The names of the classes, by label.
    pub fn classes(self) -> [&'static str; 10] {
        match self {
            Self::Mnist => ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
            Self::Fashion => [
                "t-shirt/top",
                "trouser",
                "pullover",
                "dress",
                "coat",
                "sandal",
                "shirt",
                "sneaker",
                "bag",
                "ankle boot",
            ],
        }
    }
}

/// Names of the four files and their lengths once decompressed: images and
/// labels for training, then for test.
pub(crate) const NAMES: [(&str, u64); 4] = [
    ("train-images-idx3-ubyte.gz", 47_040_016),
    ("train-labels-idx1-ubyte.gz", 60_008),
    ("t10k-images-idx3-ubyte.gz", 7_840_016),
    ("t10k-labels-idx1-ubyte.gz", 10_008),
];

const fn file(index: usize, bytes: u64, sha256: &'static str, plain: &'static str) -> PinnedFile {
    PinnedFile {
        name: NAMES[index].0,
        bytes,
        sha256,
        plain: Some(PinnedPlain {
            bytes: NAMES[index].1,
            sha256: plain,
        }),
    }
}

static MNIST: PinnedSet = PinnedSet {
    folder: "mnist",
    files: &[
        file(
            0,
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        file(
            1,
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        file(
            2,
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        file(
            3,
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ],
    mirrors: &[
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ],
    layout: None,
};

static FASHION: PinnedSet = PinnedSet {
    folder: "fashion-mnist",
    files: &[
        file(
            0,
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        file(
            1,
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        file(
            2,
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        file(
            3,
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ],
    mirrors: &[
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ],
    layout: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_is_written_in_full_and_only_once() {
        let files = Variant::ALL.iter().flat_map(|variant| variant.set().files);
        let mut hashes: Vec<_> = files
            .flat_map(|file| [Some(file.sha256), file.plain.map(|plain| plain.sha256)])
            .flatten()
            .collect();
        assert_eq!(hashes.len(), 16);
        assert!(hashes.iter().all(|hash| {
            hash.len() == 64
                && hash
                    .bytes()
                    .all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
        }));
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 16);
    }

    #[test]
    fn mirrors_with_encryption_come_first() {
        for variant in Variant::ALL {
            assert!(variant.set().mirrors[0].starts_with("https://"));
            assert!(
                variant
                    .set()
                    .mirrors
                    .iter()
                    .all(|mirror| mirror.ends_with('/'))
            );
        }
    }
}

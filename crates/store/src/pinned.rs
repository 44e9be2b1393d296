//! What a data set's files must be: names, lengths, SHA-256, mirrors. Data
//! only; the checks are elsewhere.

/// One published file.
#[derive(Clone, Copy, Debug)]
pub struct PinnedFile {
    /// Name in the set's folder and on the mirrors.
    pub name: &'static str,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: &'static str,
    /// What the file holds once decompressed, when the name ends in `.gz` and
    /// the plain file is as good as the compressed one.
    pub plain: Option<PinnedPlain>,
}

/// The content of a compressed file.
#[derive(Clone, Copy, Debug)]
pub struct PinnedPlain {
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: &'static str,
}

/// One published data set.
#[derive(Clone, Copy, Debug)]
pub struct PinnedSet {
    /// The set's subfolder of the data folder, which is also the name that
    /// advice to the user gives it.
    pub folder: &'static str,
    /// The published files.
    pub files: &'static [PinnedFile],
    /// Addresses that a file's name is appended to, best first.
    pub mirrors: &'static [&'static str],
    /// What the first file unpacks to, when it is an archive.
    pub layout: Option<Layout>,
}

/// The folder in an archive (`.tar.gz`) and all that it may hold.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The one folder in the archive.
    pub folder: &'static str,
    /// Every file that may lie in it.
    pub members: &'static [Member],
}

/// A file in an archive.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Name in the archive's folder.
    pub name: &'static str,
    /// How long it may be.
    pub size: Size,
}

/// How long a file in an archive may be.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    /// The file must be there with this length.
    Exactly(u64),
    /// The file may be missing, and is no longer than this.
    AtMost(u64),
}

impl Size {
    /// The greatest length allowed.
    pub fn limit(self) -> u64 {
        match self {
            Self::Exactly(bytes) | Self::AtMost(bytes) => bytes,
        }
    }

    /// Whether a file of this length is right.
    pub fn allows(self, bytes: u64) -> bool {
        match self {
            Self::Exactly(exact) => bytes == exact,
            Self::AtMost(limit) => bytes <= limit,
        }
    }
}

impl PinnedFile {
    /// The names under which the file may lie in a folder, with the length and
    /// SHA-256 of each: as published, then decompressed.
    pub(crate) fn forms(&self) -> impl Iterator<Item = (&'static str, u64, &'static str)> + use<> {
        let plain = self.plain.and_then(|plain| {
            let name = self.name.strip_suffix(".gz")?;
            Some((name, plain.bytes, plain.sha256))
        });
        std::iter::once((self.name, self.bytes, self.sha256)).chain(plain)
    }
}

impl PinnedSet {
    /// The names to ask [`Store::verify`](crate::Store::verify) for: the
    /// published files, or the files that the archive must hold.
    pub fn contents(&self) -> Vec<&'static str> {
        match &self.layout {
            None => self.files.iter().map(|file| file.name).collect(),
            Some(layout) => layout.required().map(|member| member.name).collect(),
        }
    }

    /// The places, relative to the set's folder, where the content `wanted`
    /// may lie.
    pub(crate) fn places(&self, wanted: &str) -> Vec<String> {
        match &self.layout {
            Some(layout) => vec![layout.place(wanted)],
            None => self
                .files
                .iter()
                .filter(|file| file.name == wanted)
                .flat_map(|file| file.forms().map(|(name, ..)| name.to_owned()))
                .collect(),
        }
    }
}

impl Layout {
    /// The files that must be there.
    pub(crate) fn required(&self) -> impl Iterator<Item = &'static Member> {
        self.members
            .iter()
            .filter(|member| matches!(member.size, Size::Exactly(_)))
    }

    /// Where a member lies, relative to the set's folder.
    pub(crate) fn place(&self, member: &str) -> String {
        format!("{}/{member}", self.folder)
    }
}
